/// What resolv.conf(5) says.
package struct ResolverConfiguration: Sendable, Equatable {
    /// Addresses, in the order in which they are asked; the C library takes the first three.
    package private(set) var servers: [String] = []
    package private(set) var searchDomains: [String] = []
    package private(set) var options: [String] = []

    package static let serversMax = 32
    package static let wordsMax = 256

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) {
            switch line.text() {
            case "nameserver": if servers.count < Self.serversMax, let server = line.text() { servers.append(server) }
            case "search", "domain":
                // The last such line holds.
                searchDomains = []
                while searchDomains.count < Self.wordsMax, let domain = line.text() { searchDomains.append(domain) }
            case "options": while options.count < Self.wordsMax, let option = line.text() { options.append(option) }
            default: continue
            }
        }
    }

    /// The number of an option such as `ndots:5`.
    package func option(_ name: String) -> Int? {
        options.last { $0.hasPrefix(name + ":") }.flatMap { Int($0.dropFirst(name.utf8.count + 1)) }
    }
}

/// What a clock's keeper says of it.
package struct ClockSynchronization: Sendable, Equatable {
    package var isSynchronized: Bool
    /// How far the system's clock is off, by the keeper's own account; positive where it is fast.
    package var offsetSeconds: Double?
    package var source: String?

    /// `timedatectl show`: lines `NTPSynchronized=yes`. Nil where it doesn't tell.
    package init?(timedatectl bytes: [UInt8]) {
        let properties = Properties.blocks(bytes).first ?? [:]
        guard let answer = properties["NTPSynchronized"] else { return nil }
        isSynchronized = answer == "yes"
    }

    /// `chronyc -c tracking`: fields parted by commas (reference id, name, stratum, reference time, offset, …, leap status).
    package init?(chronyTracking text: [UInt8]) {
        let line = String(decoding: text.prefix { $0 != 0x0A }.prefix(4096), as: UTF8.self)
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count >= 14, let offset = Double(fields[4]), offset.isFinite else { return nil }
        isSynchronized = fields[13] != "Not synchronised"
        offsetSeconds = offset
        source = fields[1].isEmpty ? nil : String(fields[1])
    }
}

/// Blocks of lines `Name=value` parted by empty lines, as `systemctl show` and `timedatectl show` print them.
package enum Properties {
    package static let blocksMax = 16_384

    package static func blocks(_ bytes: [UInt8]) -> [[String: String]] {
        var blocks: [[String: String]] = []
        var block: [String: String] = [:]
        for var line in Lines(bytes) where blocks.count < blocksMax {
            if line.isAtEnd {
                if !block.isEmpty { blocks.append(block) }
                block = [:]
            } else if block.count < 1024, let name = line.text(before: 0x3D) {
                block[name] = line.rest
            }
        }
        if !block.isEmpty { blocks.append(block) }
        return blocks
    }
}
