internal import CSpawn
import Glibc

/// Removes folders with all below them, however deep they are and whatever their files are called, never over a link and never from another
/// mount.
public enum FolderRemoval {
    /// False when something stays; true also where there is no such folder.
    public static func remove(_ path: String) -> Bool { [0, -ENOENT].contains(cspawn_remove_tree(path)) }

    /// The same for all that is in a folder, which stays itself.
    public static func empty(_ path: String) -> Bool { [0, -ENOENT].contains(cspawn_empty_tree(path)) }
}
