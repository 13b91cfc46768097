/// A message or an event, read: what it asks for, or why it asks for nothing.
public struct MessageReading: Sendable {
    public let request: MessageRequest?
    /// Why there is no request.
    public let fault: EventFault?
    /// The message as decisions show it.
    public let alert: Alert
    /// What stands in a trigger's place.
    public let source: String

    public init(_ message: SourceMessage) {
        self.init(source: MessageRequest.source, labels: message.origin.labels) { () throws(EventFault) in try RequestReader.read(message) }
    }

    /// An event that came in no message, as far as it is one.
    public init(reading event: () throws(EventFault) -> CloudEvent) {
        do throws(EventFault) {
            let event = try event()
            self.init(source: CloudEvent.source, labels: event.labels) { () throws(EventFault) in try RequestReader.read(event) }
        } catch {
            self.init(source: CloudEvent.source, labels: [:]) { () throws(EventFault) in throw error }
        }
    }

    /// - Parameter labels: of a message that asks for nothing, in its decision.
    private init(source: String, labels: [String: String], reading read: () throws(EventFault) -> MessageRequest) {
        self.source = source
        do throws(EventFault) {
            let request = try read()
            self.request = request
            fault = nil
            alert = request.alert
        } catch {
            request = nil
            fault = error
            alert = RequestReader.unreadable(labels)
        }
    }
}
