// A layout in a checkpoint: the numbers that a saved search has in its footprints.

import GracewalkExploration
import GracewalkSupport

extension Layout {
  func save(to writer: CheckpointWriter) {
    writer.write(records.count)
    for record in records.all {
      writer.write(record.region)
      writer.write(record.capacity)
      writer.write(record.isConstant)
      writer.write(record.isHardware)
      writer.write(record.isShared)
      writer.write(record.lifetime)
      writer.write(record.firstByte)
    }
    writer.write(cells.count)
    for cell in cells.all {
      writer.write(cell.record)
      writer.write(cell.start)
      writer.write(cell.size)
      writer.write(cell.isShared)
    }
    writer.write(bytes.count)
    for byte in bytes.all { writer.write(UInt32(bitPattern: byte)) }
    writer.write(threads.count)
    for (parent, index) in threads {
      writer.write(parent)
      writer.write(index)
    }
    writer.write(barrierCells.count)
    for key in barrierCells.keys.sorted() {
      writer.write(key)
      writer.write(barrierCells[key] ?? 0)
    }
    writer.write(mayRace)
    writer.write(joined)
    writer.write(sleepers.count)
    for sleeper in sleepers { writer.write(sleeper) }
  }

  /// Reads what `save` wrote.
  convenience init(from reader: CheckpointReader) throws(CheckpointError) {
    self.init()
    for number in 0..<(try reader.count(ofBytes: 48)) {
      let region = try reader.number(in: 1..<Region.groupCount << 16)
      var record = Record(
        region: region, kind: Region.kind(of: region),
        capacity: try reader.number(in: 0..<Region.sizeMax + 1), lifetime: 0, firstByte: 0)
      record.isConstant = try reader.flag()
      record.isHardware = try reader.flag()
      record.isShared = try reader.flag()
      record.lifetime = try reader.number(in: 0..<1 << 40)
      record.firstByte = try reader.number(in: 0..<1 << 40)
      records.append(record)
      let entries = tables[Region.group(of: region)]
      while entries.count <= Region.index(of: region) { entries.append(-1) }
      guard entries[Region.index(of: region)] < 0 else { throw .malformed }
      entries[Region.index(of: region)] = Int32(number)
    }
    for _ in 0..<(try reader.count(ofBytes: 32)) {
      cells.append(
        Cell(
          record: try reader.number(in: 0..<records.count),
          start: try reader.number(in: -1..<Region.sizeMax),
          size: try reader.number(in: 0..<Region.sizeMax + 1), isShared: try reader.flag()))
    }
    for _ in 0..<(try reader.count(ofBytes: 4)) {
      let byte = Int32(bitPattern: try reader.half())
      guard byte >= -1, byte < cells.count else { throw .malformed }
      bytes.append(byte)
    }
    guard fits else { throw .malformed }
    threads = []
    for number in 0..<(try reader.number(in: 1..<Layout.threadsMax + 1)) {
      threads.append(
        (try reader.number(in: -1..<max(number, 1)), try reader.number(in: 0..<1 << 32)))
    }
    for _ in 0..<(try reader.count(ofBytes: 16)) {
      barrierCells[try reader.number(in: 0..<1 << 40)] = try reader.number(in: 0..<cells.count)
    }
    mayRace = try reader.flag()
    joined = try reader.cpus()
    for _ in 0..<(try reader.count()) { sleepers.append(try reader.number(in: 0..<threads.count)) }
  }

  /// Whether records, cells and bytes are about each other.
  private var fits: Bool {
    for (number, record) in records.all.enumerated() {
      guard record.lifetime < cells.count, record.firstByte + record.capacity <= bytes.count,
        cells[record.lifetime].record == number, cells[record.lifetime].start < 0
      else { return false }
      for offset in 0..<record.capacity {
        let cell = Int(bytes[record.firstByte + offset])
        guard cell >= 0 else { continue }
        let range = cells[cell].start..<cells[cell].start + cells[cell].size
        guard cells[cell].record == number, cells[cell].start >= 0, range.contains(offset),
          range.upperBound <= record.capacity
        else { return false }
      }
    }
    return cells.all.allSatisfy { cell in
      guard cell.start >= 0 else { return cell.size == 0 }
      let record = records[cell.record]
      guard cell.size > 0, cell.start + cell.size <= record.capacity else { return false }
      return bytes[record.firstByte + cell.start] >= 0
    }
  }
}
