/// A message, read: what it asks for, or why it asks for nothing.
public struct MessageReading: Sendable {
    public let request: MessageRequest?
    /// Why there is no request.
    public let fault: EventFault?
    /// The message as decisions show it.
    public let alert: Alert

    public init(_ message: SourceMessage) {
        do throws(EventFault) {
            let request = try RequestReader.read(message)
            self.request = request
            fault = nil
            alert = request.alert
        } catch {
            request = nil
            fault = error
            alert = RequestReader.unreadable(message)
        }
    }
}
