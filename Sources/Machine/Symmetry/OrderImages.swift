// The names of orders of stores in which identical CPUs are exchanged.

import GracewalkSupport

/// What the name of an order of stores becomes under each permutation of identical CPUs.
///
/// A name is a hash, so its image is found by exchanging CPUs in the order itself. That is done
/// once for each order.
final class OrderImages {
  private let orders: OrderKeeper
  private unowned let images: CPUImages
  private let count: Int
  private let omitted: OmittedRules
  private var order: StoreOrder
  private var room = ExchangeRoom()
  /// Where the names of an order's images begin, one for each permutation.
  private var rows: [UInt64: Int] = [:]
  private let names = GrowableBuffer<UInt64>()

  init(_ orders: OrderKeeper, _ images: CPUImages, count: Int, without omitted: OmittedRules) {
    self.orders = orders
    self.images = images
    self.count = count
    self.omitted = omitted
    order = orders.present.copy()
  }

  deinit {
    order.deallocate()
    room.deallocate()
    names.deallocate()
  }

  func image(of name: UInt64, under permutation: Int) -> UInt64 {
    if name == 0 || permutation == 0 { return name }
    return names[(rows[name] ?? makeRow(of: name)) + permutation]
  }

  private func makeRow(of name: UInt64) -> Int {
    let start = names.count
    names.append(name)
    for permutation in 1..<count {
      orders.read(name, into: &order)
      order.exchange(images, permutation, without: omitted, &room)
      names.append(OrderKeeper.name(of: order))
    }
    rows[name] = start
    return start
  }
}
