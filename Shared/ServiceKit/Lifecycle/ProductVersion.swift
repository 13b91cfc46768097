/// The version of this build of the product, as `--version` and the agents' registration show it.
public enum ProductVersion {
    public static let text = "0.1.0"
}
