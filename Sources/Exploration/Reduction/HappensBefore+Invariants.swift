// Invariants of happens-before: clocks equal those that a slow and obvious method computes.

import GracewalkSupport

extension HappensBefore {
  @inline(__always)
  func checkAfterPush() {
    #if CHECKS_INVARIANTS
      checkSizes()
      // Every pair of events is compared, so deep in the stack not at each depth.
      if count <= 32 || count % 8 == 0 { checkLatest() }
    #endif
  }

  @inline(__always)
  func checkAfterPop() {
    #if CHECKS_INVARIANTS
      checkSizes()
      if count == 0 { checkNothingIsLeft() }
    #endif
  }
}

#if CHECKS_INVARIANTS
  extension HappensBefore {
    private func checkSizes() {
      mustHold(clocks.count == count * chunks, "a clock for each event")
      mustHold(count == 0 || events.last.firstTouch <= links.count, "touches are taken with events")
      mustHold(count > 0 || links.isEmpty, "touches of no event")
    }

    /// Popping all events must leave every object and every CPU as it was.
    private func checkNothingIsLeft() {
      for object in 0..<lastWrite.count {
        mustHold(lastWrite[object] == -1 && lastRead[object] == -1, "object \(object) is touched")
      }
      for cpu in 0..<lastOfCPU.count { mustHold(lastOfCPU[cpu] == -1, "CPU \(cpu) has an event") }
    }

    private func checkLatest() {
      let latest = count - 1
      let event = events[latest]
      checkPlace(of: event, at: latest)
      checkLinks(of: latest)
      // An event happens before this one if and only if it is, or happens before, an event that
      // this one depends on.
      var explained = CPUSet(event.cpu)
      for earlier in 0..<latest where events[earlier].cpu == event.cpu || areDependent(earlier) {
        let other = events[earlier]
        mustHold(
          component(clock(of: latest), other.cpu) >= other.ordinal,
          "event \(earlier) happens before \(latest), which depends on it")
        for cpu in 0..<lastOfCPU.count {
          let (known, new) = (component(clock(of: earlier), cpu), component(clock(of: latest), cpu))
          mustHold(cpu == event.cpu || known <= new, "happens-before is transitive")
          if known == new { explained.insert(cpu) }
        }
      }
      for cpu in 0..<lastOfCPU.count where component(clock(of: latest), cpu) > 0 {
        mustHold(explained.contains(cpu), "event \(latest) knows more of CPU \(cpu) than it can")
      }
    }

    private func checkPlace(of event: Event, at latest: Int) {
      let previous = event.previousOfCPU
      mustHold(lastOfCPU[event.cpu] == latest, "the latest event is the latest of its CPU")
      mustHold(previous < latest, "an event comes after those before it")
      mustHold(
        event.ordinal == (previous < 0 ? 1 : events[previous].ordinal + 1), "ordinals are in order")
      mustHold(
        component(clock(of: latest), event.cpu) == event.ordinal, "an event counts to itself")
    }

    /// Links lead to earlier touches of the same object: one chain for writes, one for reads.
    private func checkLinks(of event: Int) {
      for index in events[event].firstTouch..<links.count {
        let link = links[index]
        mustHold(Int(link.event) == event, "a touch is of its event")
        if link.previousWrite >= 0 {
          let write = links[Int(link.previousWrite)].touch
          mustHold(write.writes && write.object == link.touch.object, "the last write is one")
        }
        if link.previousRead >= 0 {
          let read = links[Int(link.previousRead)]
          mustHold(!read.touch.writes && read.touch.object == link.touch.object, "a read is one")
          mustHold(link.previousRead > link.previousWrite, "reads are those since the last write")
        }
        let last = link.touch.writes ? lastWrite : lastRead
        mustHold(Int(last[Int(link.touch.object)]) == index, "the latest touch is the last")
      }
    }

    private func areDependent(_ earlier: Int) -> Bool {
      for index in events[earlier].firstTouch..<events[earlier + 1].firstTouch {
        for other in events.last.firstTouch..<links.count
        where links[index].touch.object == links[other].touch.object
          && links[index].touch.conflicts(with: links[other].touch)
        {
          return true
        }
      }
      return false
    }
  }
#endif
