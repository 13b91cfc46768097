internal import CRdKafka

/// What librdkafka says went wrong.
public struct KafkaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The name of the code, such as `_TRANSPORT` or `GROUP_AUTHORIZATION_FAILED`.
    public let name: String
    /// A sentence for a person.
    public let message: String
    /// The client can't go on: only a new one can.
    public let isFatal: Bool

    public init(name: String, message: String, isFatal: Bool = false) {
        self.name = name
        self.message = message
        self.isFatal = isFatal
    }

    init(_ code: rd_kafka_resp_err_t, _ message: String? = nil) {
        name = String(cString: rd_kafka_err2name(code))
        self.message = message ?? String(cString: rd_kafka_err2str(code))
        isFatal = code == RD_KAFKA_RESP_ERR__FATAL
    }

    /// Takes the error over and frees it; nil where there is none.
    init?(taking error: OpaquePointer?) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        name = String(cString: rd_kafka_error_name(error))
        message = String(cString: rd_kafka_error_string(error))
        isFatal = rd_kafka_error_is_fatal(error) != 0
    }

    public var description: String { "\(message) (\(name))" }
}

/// A property that librdkafka does not take.
public struct KafkaPropertyFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let property: String
    /// Never has the value in it: it may be a password.
    public let message: String

    public init(property: String, message: String) {
        self.property = property
        self.message = message
    }

    public var description: String { "\(property) \(message)" }
}
