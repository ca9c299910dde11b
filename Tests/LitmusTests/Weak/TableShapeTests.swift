// Page tables in litmus tests: walks, faults, invalidations, and what barriers promise.

import GracewalkLitmus
import GracewalkMachine
import Testing

@Suite struct TableShapeTests {
  @Test(arguments: TableShape.all.map(\.name))
  func shapesAreAllowedWhereTheyMustBe(name: String) throws {
    let shape = try #require(TableShape.all.first { $0.name == name })
    #expect(
      (try shape.observation(hasETS2: false) != .never) == (shape.allowed != .never),
      "without FEAT_ETS2")
    #expect(
      (try shape.observation(hasETS2: true) != .never) == (shape.allowed == .always),
      "with FEAT_ETS2")
  }

  /// The heading of a test may say what its processor has.
  @Test func theHeadingNamesTheFeature() throws {
    let shape = try #require(TableShape.all.first { $0.name == "I2V+DSB" })
    let lines = shape.text.split(separator: "\n")
    let text = ([lines[0], "Variant=vmsa,ets2"] + lines[1...]).joined(separator: "\n")
    var options = LitmusOptions()
    options.memoryModel = .armv8
    #expect(try LitmusTest(reading: text).check(options).observation == .never)
  }

  /// States show entries and faults as tests write them.
  @Test func statesAreShownAsTheyAreWritten() throws {
    let text = """
      AArch64 shown
      { pte_x=(valid:0); y=1; 0:X1=(oa:phy_y); 0:X2=pte_x; 0:X3=x; }
      P0 ;
      STR X1,[X2] ;
      L0: LDR W4,[X3] ;
      locations [0:X4; pte_x;]
      exists (pte_x=(oa:phy_y, valid:1) /\\ Fault(P0:L0,x,MMU:Translation))
      """
    let test = try LitmusTest(reading: text)
    var options = LitmusOptions()
    options.memoryModel = .armv8
    let report = test.check(options)
    #expect(
      report.states.map(report.text) == [
        "0:X4=0; [PTE(x)]=(oa:PA(y)); Fault(P0:L0,x);",
        "0:X4=1; [PTE(x)]=(oa:PA(y)); ~Fault(P0:L0,x);",
      ])
  }

  @Test(arguments: [MemoryModel.sequentialConsistency, .totalStoreOrder])
  func otherModelsHaveNoPageTables(model: MemoryModel) throws {
    var options = LitmusOptions()
    options.memoryModel = model
    let test = try LitmusTest(reading: TableShape.all[0].text)
    let reason = "tests about page tables are for --memory arm"
    #expect(test.check(options).reason == reason)
    #expect(throws: LitmusError(1, reason)) { try test.require(model) }
    try test.require(.armv8)
  }

  @Test(arguments: [
    ("pte_x=(af:0);", "", "of an entry, oa and valid are supported, and not 'af'"),
    ("0:X1=(valid:1);", "", "an entry here says where it leads: oa:PA(x)"),
    ("pte_x=(oa:x);", "", "a page such as PA(x) expected, and not 'x'"),
    ("", "TLBI ASIDE1IS,X1", "'TLBI ASIDE1IS' is not supported"),
    ("", "TLBI", "'TLBI' takes the name of an operation"),
  ])
  func whatIsNotSupportedIsRefused(start: String, code: String, message: String) {
    let text = "AArch64 refused\n{ \(start) }\nP0 ;\n\(code) ;\nexists (true)\n"
    do throws(LitmusError) {
      _ = try LitmusTest(reading: text)
      Issue.record("it is read")
    } catch {
      #expect(error.message == message)
    }
  }
}
