import Logging
import Testing

@testable import ServiceKit

@Suite struct ConfigurationTests {
    static let name = Setting<String>("peer-name", default: "nobody", help: "a name")
    static let count = Setting<Int>("queue-max", default: 10, in: 1...100, help: "a count")
    static let ttl = Setting<Duration>("diagnosis-ttl", default: .seconds(864_000), help: "a time")
    static let size = Setting<ByteCount>("body-max", default: .mebibytes(4), help: "a size")
    static let list = Setting<[String]>("roots", default: [], help: "a list")
    static let verbose = Setting<Bool>("verbose", default: false, help: "a switch")
    static let url = Setting<HTTPURL>("scheduler-url", default: nil, help: "a URL that has to be given")
    static let optional = Setting<String?>("cluster", default: .some(nil), help: "may stay unset")
    static let table = SettingTable([
        name.definition, count.definition, ttl.definition, size.definition, list.definition, verbose.definition, url.definition,
        optional.definition,
    ])
    static let needed = ["--scheduler-url", "http://127.0.0.1:8082"]

    func read(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Configuration {
        try Self.table.configuration(arguments: arguments, environment: environment)
    }

    func faults(_ arguments: [String], _ environment: [String: String] = [:]) -> [String] {
        do {
            _ = try read(arguments, environment)
            return []
        } catch let error as ConfigurationFaults {
            return error.faults.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func defaultsHoldWhereNobodySaysAnything() throws {
        let values = try read(Self.needed)
        #expect(values[Self.name] == "nobody")
        #expect(values[Self.count] == 10)
        #expect(values[Self.ttl] == .seconds(864_000))
        #expect(values[Self.size].bytes == 4 << 20)
        #expect(values[Self.list].isEmpty)
        #expect(!values[Self.verbose])
        #expect(values[Self.optional] == nil)
        #expect(values[Self.url].port == 8082)
        #expect(!values.isGiven(Self.name))
    }

    @Test func flagsOverrideTheEnvironmentWhichOverridesTheFile() throws {
        let file = try TemporaryFile("peerName: from-file\nqueueMax: 20\ndiagnosisTtl: 30m\nroots: [/a, /b]\nverbose: true\n")
        let environment = ["KUBEDIAG_QUEUE_MAX": "30", "KUBEDIAG_DIAGNOSIS_TTL": "1h30m", "KUBEDIAG_PEER_NAME": ""]
        let values = try read(["--config", file.path, "--diagnosis-ttl=5s", "--no-verbose"] + Self.needed, environment)
        #expect(values[Self.name] == "from-file", "an empty variable is an unset one")
        #expect(values[Self.count] == 30)
        #expect(values[Self.ttl] == .seconds(5))
        #expect(values[Self.list] == ["/a", "/b"])
        #expect(!values[Self.verbose])
    }

    @Test func listsAddUpWithinASourceAndReplaceAcrossSources() throws {
        let file = try TemporaryFile("roots: /from/file\n")
        #expect(try read(["--config", file.path] + Self.needed)[Self.list] == ["/from/file"])
        let values = try read(["--config", file.path, "--roots", "/x, /y", "--roots=/z"] + Self.needed)
        #expect(values[Self.list] == ["/x", "/y", "/z"])
    }

    @Test func everyFaultIsReportedAtOnceAndNamesItsSource() throws {
        let file = try TemporaryFile("peerNam: x\nqueueMax: [1]\n")
        let found = faults(
            ["--config", file.path, "--queue-max", "0", "--diagnosis-tll", "5s", "stray", "--verbose=maybe"],
            ["KUBEDIAG_BODY_MAX": "4 apples"])
        #expect(
            found.sorted()
                == [
                    "\(file.path):1 peerNam: is no setting of this program; did you mean peerName?",
                    "\(file.path):2 queueMax: has to be one value",
                    "--diagnosis-tll: is no flag of this program; did you mean --diagnosis-ttl?",
                    "--queue-max: 0 is out of range: from 1 to 100",
                    "--scheduler-url: is needed; give --scheduler-url, KUBEDIAG_SCHEDULER_URL or schedulerUrl in the --config file",
                    "--verbose: \"maybe\" is neither true nor false",
                    "KUBEDIAG_BODY_MAX (environment): \"4 apples\" is no size; one looks like 4096, 64KiB or 32MiB",
                    "stray: is no flag; this program takes flags only (see --help)",
                ].sorted())
    }

    @Test(arguments: [
        (["--peer-name"], "--peer-name: needs a value (TEXT)"),
        (["--peer-name", "--verbose"], "--peer-name: needs a value (TEXT)"),
        (["--peer-name", "a", "--peer-name", "b"], "--peer-name: is given more than once"),
        (["--config", "/does/not/exist"], "--config: /does/not/exist: No such file or directory"),
        (["--zzzzzzzz", "x"], "--zzzzzzzz: is no flag of this program (see --help)"),
        (["--config"], "--config: needs a FILE"),
    ])
    func oneFault(arguments: [String], message: String) {
        #expect(faults(arguments + Self.needed) == [message])
    }

    @Test(arguments: ["- a\n- b\n", "plain text", "a: [1, 2\n", "peerName: a\npeerName: b\n", "\u{FFFE}x: {}}"])
    func aFileThatIsNoMappingIsOneFault(text: String) throws {
        let file = try TemporaryFile(text)
        #expect(faults(["--config", file.path] + Self.needed).count == 1)
    }

    @Test(arguments: ["", "# only a comment\n", "---\n"])
    func anEmptyFileSaysNothing(text: String) throws {
        let file = try TemporaryFile(text)
        #expect(faults(["--config", file.path] + Self.needed) == [])
    }

    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("7", .seconds(7)), ("1h30m", .seconds(5400)), ("240h", .seconds(864_000)),
        ("7d", .seconds(604_800)),
    ])
    func durations(text: String, value: Duration) throws {
        #expect(try Duration.parse([text]) == value)
        #expect(try Duration.parse([value.settingText]) == value, "the text of a duration reads back as itself")
    }

    @Test(arguments: ["", "h", "-5s", "5 s", "5y", "99999999999999999999h", "9223372036854775807"])
    func notDurations(text: String) {
        #expect(throws: SettingSyntaxFault.self) { try Duration.parse([text]) }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8082", "http://127.0.0.1:8082"), ("http://web-07/", "http://web-07:80"),
        ("https://[::1]:9/a/b/", "https://[::1]:9/a/b"),
    ])
    func urls(text: String, shown: String) {
        #expect(HTTPURL(text)?.description == shown)
    }

    @Test(arguments: [
        "web-07:80", "ftp://a", "http://", "http://a:0", "http://a:x", "http://u@a", "http://a?b", "http://a b", "http://[::1",
        "http://[x]",
    ])
    func notURLs(text: String) {
        #expect(HTTPURL(text) == nil)
    }

    @Test func helpTeachesEverySetting() {
        let text = ConfigurationHelp(program: "scheduler", summary: "dispatches", table: Self.table).text
        for definition in Self.table.definitions {
            #expect(text.contains("\(definition.environmentName) [\(definition.yamlKey)]"))
        }
        #expect(text.contains("a time (default 240h)"))
        #expect(text.contains("--verbose, --no-verbose"))
        #expect(text.contains("a URL that has to be given (required)"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("::1", true), ("localhost", true), ("127.9.9.9", true), ("0.0.0.0", false), ("::", false),
        ("10.0.0.8", false),
    ])
    func beyondLoopbackNeedsATokenFile(address: String, isLoopback: Bool) throws {
        let table = SettingTable(CommonSettings.definitions(defaultPort: 1))
        let alone = CommonSettings.faults(try table.configuration(arguments: ["--listen", address]))
        #expect(alone.isEmpty == isLoopback)
        #expect(CommonSettings.faults(try table.configuration(arguments: ["--listen", address, "--token-file", "/t"])).isEmpty)
    }

    @Test(arguments: ["example.org", "127.0.0", "1.2.3.256", "127.0.0.1:80", ""])
    func anAddressToListenOnIsAnAddress(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
