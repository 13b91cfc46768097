import Glibc

extension HostFiles.Status {
    init(_ info: stat) {
        let kind: Kind =
            switch info.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR, S_IFBLK: .device
            default: .other
            }
        self.init(
            kind: kind, bytes: Int64(info.st_size), allocatedBytes: Int64(info.st_blocks) * 512, device: UInt64(info.st_dev),
            inode: UInt64(info.st_ino), links: Int(info.st_nlink), mode: UInt32(info.st_mode & 0o7777), user: info.st_uid,
            group: info.st_gid, modifiedAt: Int64(info.st_mtim.tv_sec),
            modifiedNanoseconds: Int64(info.st_mtim.tv_nsec), changedAt: Int64(info.st_ctim.tv_sec),
            accessedAt: Int64(info.st_atim.tv_sec))
    }
}

/// Size and use of a file system (statvfs(3)).
public struct FileSystemUse: Sendable, Equatable {
    public var totalBytes: UInt64
    /// Free for root.
    public var freeBytes: UInt64
    /// Free for everybody else.
    public var availableBytes: UInt64
    /// 0 where the file system does not count them.
    public var totalInodes: UInt64
    public var freeInodes: UInt64
    public var isReadOnly: Bool

    public init(
        totalBytes: UInt64, freeBytes: UInt64, availableBytes: UInt64, totalInodes: UInt64, freeInodes: UInt64, isReadOnly: Bool
    ) {
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
        self.availableBytes = availableBytes
        self.totalInodes = totalInodes
        self.freeInodes = freeInodes
        self.isReadOnly = isReadOnly
    }

    init(_ info: statvfs) {
        let block = UInt64(info.f_frsize)
        self.init(
            totalBytes: UInt64(info.f_blocks).multipliedReportingOverflow(by: block).partialValue,
            freeBytes: UInt64(info.f_bfree).multipliedReportingOverflow(by: block).partialValue,
            availableBytes: UInt64(info.f_bavail).multipliedReportingOverflow(by: block).partialValue,
            totalInodes: UInt64(info.f_files), freeInodes: UInt64(info.f_ffree), isReadOnly: info.f_flag & 1 != 0)
    }
}
