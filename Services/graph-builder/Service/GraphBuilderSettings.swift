import ServiceKit

/// The settings that the graph-builder has beside the common ones.
public enum GraphBuilderSettings {
    public static let scheduler = Setting<HTTPURL>(
        "scheduler-url", default: HTTPURL("http://127.0.0.1:8082"),
        help: "where diagnoses and agents are kept, which may own operations or belong to them")
    public static let triggerRouter = Setting<HTTPURL>(
        "trigger-router-url", default: HTTPURL("http://127.0.0.1:8080"),
        help: "where triggers and common events are kept, which may own operations or belong to them")

    public static let dotProgram = Setting<String>(
        "dot-program", default: "/usr/bin/dot", placeholder: "FILE", help: "Graphviz' dot, which draws graphs as SVG",
        validate: { $0.hasPrefix("/") ? nil : "\"\($0)\" is no absolute path" })

    public static var all: [SettingDefinition] { [scheduler.definition, triggerRouter.definition, dotProgram.definition] }
}
