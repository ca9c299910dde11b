// The storage of the inner loops.

import GracewalkSupport
import Testing

struct GrowableBufferTests {
  @Test func keepsElementsAcrossGrowth() {
    let buffer = GrowableBuffer<Int>(capacity: 2)
    defer { buffer.deallocate() }
    for number in 0..<1_000 { buffer.append(number * 3) }
    #expect(buffer.count == 1_000)
    #expect((0..<1_000).allSatisfy { buffer[$0] == $0 * 3 })
    #expect(buffer.last == 2_997)
  }

  @Test func copiesOfTheHandleShareTheElements() {
    let buffer = GrowableBuffer<Int>(capacity: 1)
    defer { buffer.deallocate() }
    let copy = buffer
    for number in 0..<5 { copy.append(number) }
    buffer[2] = 42
    #expect(buffer.count == 5)
    #expect(copy[2] == 42)
  }

  @Test func removesFromTheEnd() {
    let buffer = GrowableBuffer<Int>(repeating: 7, count: 4)
    defer { buffer.deallocate() }
    buffer.append(8)
    #expect(buffer.removeLast() == 8)
    buffer.truncate(to: 2)
    #expect(buffer.count == 2)
    buffer.removeAll()
    #expect(buffer.isEmpty)
  }

  @Test func extendsByEqualElementsAndSaysWhereTheyBegin() {
    let buffer = GrowableBuffer<Int>(capacity: 1)
    defer { buffer.deallocate() }
    buffer.append(1)
    #expect(buffer.extend(by: 3, with: 9) == 1)
    #expect((0..<4).map { buffer[$0] } == [1, 9, 9, 9])
  }

  @Test func pointersReachTheElement() {
    let buffer = GrowableBuffer<Int>(repeating: 0, count: 3)
    defer { buffer.deallocate() }
    buffer.pointer(to: 1).pointee = 5
    #expect(buffer[1] == 5)
  }

  @Test func aBufferOfNoElementsCanGrow() {
    let buffer = GrowableBuffer<Int>(repeating: 1, count: 0)
    defer { buffer.deallocate() }
    #expect(buffer.isEmpty)
    buffer.append(3)
    #expect(buffer.last == 3)
  }
}
