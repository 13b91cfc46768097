import Model
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", Int64(0), "1970-01-01T00:00:00Z"),
        ("2026-11-22T19:01:58.659835242Z", 1_795_374_118_659_835, "2026-11-22T19:01:58.659835Z"),
        ("2000-02-29T23:59:59+01:00", 951_865_199_000_000, "2000-02-29T22:59:59Z"),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.5Z", -500_000, "1969-12-31T23:59:59.500000Z"),
    ])
    func readsAndWrites(_ text: String, _ microseconds: Int64, _ written: String) throws {
        let time = try #require(Timestamp(text))
        #expect(time.microseconds == microseconds)
        #expect(time.description == written)
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T19:01:58",
        "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:59+00:01",
        "2026-11-22T19:01:58.Z", "2026-11-22T19:01:58Zjunk", "2026-11-22T19:01:58+1:00", "20261122T190158Z",
    ])
    func refuses(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func everyDayOfFourCenturiesComesBack() throws {
        for day in stride(from: Int64(-146_097), through: 146_097, by: 1) {
            let time = Timestamp(seconds: day * 86_400 + 43_200)
            #expect(Timestamp(time.description) == time)
        }
    }

    @Test func wholeSecondsRoundDownBeforeTheEpochToo() {
        #expect(Timestamp(microseconds: -1).wholeSeconds == Timestamp(seconds: -1))
        #expect(Timestamp(microseconds: 1_999_999).wholeSeconds == Timestamp(seconds: 1))
    }
}

@Suite struct DurationTextTests {
    @Test(arguments: [(0.04, "0.0s"), (17.24, "17.2s"), (59.96, "1m00s"), (125, "2m05s"), (3780, "1h03m"), (400_000, "4d"), (-1, "0s")])
    func short(_ seconds: Double, _ text: String) {
        #expect(DurationText.short(seconds: seconds) == text)
    }

    @Test(arguments: [
        (42.0, "42s"), (119, "119s"), (120, "2m"), (330, "5m30s"), (660, "11m"), (12_000, "3h20m"), (93_600, "26h"), (345_600, "4d"),
    ])
    func age(_ seconds: Double, _ text: String) {
        #expect(DurationText.age(seconds: seconds) == text)
    }
}
