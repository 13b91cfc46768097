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
        source = MessageRequest.source
        do throws(EventFault) {
            let request = try RequestReader.read(message)
            self.request = request
            fault = nil
            alert = request.alert
        } catch {
            request = nil
            fault = error
            alert = RequestReader.unreadable(message.origin.labels)
        }
    }

    /// An event that came in no message, as far as it is one.
    public init(reading event: () throws(EventFault) -> CloudEvent) {
        source = CloudEvent.source
        var labels: [String: String] = [:]
        do throws(EventFault) {
            let event = try event()
            labels = event.labels
            let request = try RequestReader.read(event)
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
