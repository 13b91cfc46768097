/// Memory for one call into C; freed as a whole.
final class CArena {
    private var allocations: [UnsafeMutableRawPointer] = []

    private func allocate(_ count: Int, alignment: Int) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, count), alignment: alignment)
        allocations.append(memory)
        return memory
    }

    func mutableText(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = Array(text.utf8CString)
        let memory = allocate(bytes.count, alignment: 1).bindMemory(to: CChar.self, capacity: bytes.count)
        memory.initialize(from: bytes, count: bytes.count)
        return memory
    }

    func text(_ text: String) -> UnsafePointer<CChar>? { UnsafePointer(mutableText(text)) }

    func bytes(_ bytes: [UInt8]) -> UnsafePointer<UInt8>? {
        let memory = allocate(bytes.count, alignment: 1).bindMemory(to: UInt8.self, capacity: max(1, bytes.count))
        memory.initialize(from: bytes, count: bytes.count)
        return UnsafePointer(memory)
    }

    func pointers<Element>(_ elements: [UnsafePointer<Element>?]) -> UnsafePointer<UnsafePointer<Element>?> {
        let stride = MemoryLayout<UnsafePointer<Element>?>.stride
        let memory = allocate(elements.count * stride, alignment: stride)
            .bindMemory(to: UnsafePointer<Element>?.self, capacity: max(1, elements.count))
        memory.initialize(from: elements, count: elements.count)
        return UnsafePointer(memory)
    }

    func sizes(_ sizes: [Int]) -> UnsafePointer<Int> {
        let stride = MemoryLayout<Int>.stride
        let memory = allocate(sizes.count * stride, alignment: stride).bindMemory(to: Int.self, capacity: max(1, sizes.count))
        memory.initialize(from: sizes, count: sizes.count)
        return UnsafePointer(memory)
    }

    func free() {
        for memory in allocations { memory.deallocate() }
        allocations = []
    }
}
