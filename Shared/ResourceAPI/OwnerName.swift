import Model
import StructuredMerge

/// Who writes, as `metadata.managedFields` names them.
package enum OwnerName {
    /// Faults of a name that a request gives in `fieldManager`.
    package static func faults(_ name: String) -> [FieldFault] {
        var faults: [FieldFault] = []
        if name.utf8.count > ManagedFields.nameBytesMax {
            faults.append(FieldFault("fieldManager", .tooLong, "may not be more than \(ManagedFields.nameBytesMax) bytes"))
        }
        if !name.unicodeScalars.allSatisfy(isPrintable) {
            faults.append(FieldFault("fieldManager", .invalid, "should only contain printable characters"))
        }
        return faults
    }

    /// What a request without a `fieldManager` is called: the program in its `User-Agent`, up to the first slash.
    static func name(userAgent: String?) -> String {
        var name = ""
        for scalar in (userAgent ?? "").unicodeScalars {
            if scalar == "/" { break }
            guard isPrintable(scalar) else { continue }
            guard name.utf8.count + UTF8.width(scalar) <= ManagedFields.nameBytesMax else { break }
            name.unicodeScalars.append(scalar)
        }
        return name.isEmpty ? "unknown" : name
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
