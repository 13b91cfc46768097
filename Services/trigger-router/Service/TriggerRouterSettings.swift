import ServiceKit

/// The settings that the trigger-router has beside the common ones.
public enum TriggerRouterSettings {
    public static let scheduler = Setting<HTTPURL>(
        "scheduler-url", default: HTTPURL("http://127.0.0.1:8082"), help: "where the scheduler takes in what is to be diagnosed")
    public static let graphBuilder = Setting<HTTPURL>(
        "graph-builder-url", default: HTTPURL("http://127.0.0.1:8081"), help: "where operations and operation sets are kept")
    public static let triggersFrom = Setting<HTTPURL?>(
        "triggers-from", default: .some(nil), placeholder: "URL",
        help: "run as a replica: take the triggers from the trigger-router at this URL and keep no store of them")
    public static let receiverBodyMax = Setting<ByteCount>(
        "receiver-body-max", default: .mebibytes(32), help: "largest body that the alert receivers take; past it the answer is 413")

    public static var all: [SettingDefinition] {
        [scheduler.definition, graphBuilder.definition, triggersFrom.definition, receiverBodyMax.definition]
    }
}
