// The reverse map agrees with the tables: a frame's chain lists the entries that map it.

import GracewalkMachine

/// At the end, the chain of each frame lists exactly the entries that map the frame.
///
/// A chain's head, and the second word of each descriptor, is the address of the next descriptor
/// (`TablePage.address`), or any other number at the end; a descriptor's first word is the address
/// of an entry (`TablePage.address(ofEntry:)`).
public struct ReverseMapAgrees: QuiescenceInvariant {
  public struct Chain: Equatable, Sendable {
    /// The data frame, counted from 0.
    public var frame: Int
    public var head: Location

    public init(frame: Int, head: Location) {
      self.frame = frame
      self.head = head
    }
  }

  private let chains: [Chain]

  public init(chains: [Chain]) { self.chains = chains }

  public static let id = "reverse-map-agrees"
  public var id: String { Self.id }
  public let statement =
    "At the end, the chain of a frame lists every entry of the tables that maps the frame, once, "
    + "and nothing else."
  public let rationale =
    "Write protection and unmapping reach entries only through the chain: an entry missing from it "
    + "stays writable, and a surplus one belongs to something else."
  public let source = "arch/x86/kvm/mmu.c (Linux 3.11): rmap_add, rmap_remove and pte_list_walk."
  public let applicability = Applicability.chosen("only the model knows which words are its chains")
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    for chain in chains {
      let mapping = entries(mapping: chain.frame, in: machine).sorted()
      let listed = listed(in: chain, of: machine).sorted()
      guard mapping != listed else { continue }
      return Violation(
        "the chain of frame \(chain.frame) does not list the entries that map it",
        details: ["it lists: \(text(listed, machine))", "mapped by: \(text(mapping, machine))"])
    }
    return nil
  }

  private func entries(mapping frame: Int, in machine: Machine) -> [UInt64] {
    machine.reachableTables.flatMap { view in
      view.entries.indices.filter { view.entries[$0].dataFrame == frame }
        .map { view.page.address(ofEntry: $0) }
    }
  }

  private func listed(in chain: Chain, of machine: Machine) -> [UInt64] {
    var found: [UInt64] = []
    var next = machine.value(of: chain.head)
    // A cyclic chain would list more entries than there are pages.
    while let descriptor = machine.page(at: next), found.count <= machine.pages.count {
      found.append(machine.value(of: descriptor[0]))
      next = machine.value(of: descriptor[1])
    }
    return found
  }

  private func text(_ addresses: [UInt64], _ machine: Machine) -> String {
    if addresses.isEmpty { return "none" }
    return addresses.map { machine.nameOfEntry(at: $0) }.joined(separator: ", ")
  }
}
