// The reader of LLVM IR: what it makes of a module, and what it says of mistakes.

import GracewalkLLVM
import Testing

@Suite struct IRReaderTests {
  private func read(_ text: String) throws -> IRModule {
    try IRReader.read(Array(text.utf8), file: "test.ll")
  }

  /// The message of the error that a text is.
  private func error(_ text: String) -> String {
    do {
      _ = try IRReader.read(Array(text.utf8), file: "test.ll")
      return "no error"
    } catch { return error.description }
  }

  @Test func everythingIsRead() throws {
    let module = try read(SampleText.module)
    #expect(module.functions.map(\.name) == ["add", "inlined"])
    #expect(
      module.globals.map(\.name)
        == ["counter", "node", "text", "middle", "distance", "own", "elsewhere"])
    #expect(module.aliases.map(\.name) == ["other"])
    let function = module.functions[0]
    #expect(function.blocks.count == 5)
    #expect(function.parameters.count == 2)
    #expect(function.blocks.map(\.instructions.count) == [12, 3, 7, 1, 3])
    #expect(module.globals[0].initial == .integer(0xFFFF_FFF9))
    #expect(module.globals[2].isConstant && module.globals[2].isLocal)
    #expect(module.globals[5].isThreadLocal)
    #expect(module.globals[6].initial == nil)
  }

  @Test func typesHaveTheirLayout() throws {
    let module = try read(SampleText.module)
    let node = module.globals[1].type
    #expect(node.offsets == [0, 8, 16])
    #expect((node.size, node.alignment) == (24, 8))
    #expect(node.leaves().map(\.offset) == [0, 8, 16, 18, 20])
    guard case .address(let symbol, let offset)? = module.globals[3].initial else {
      Issue.record("@middle is no address")
      return
    }
    #expect(module.symbols[symbol] == "node")
    #expect(offset == 18)
  }

  @Test func instructionsKnowTheirSource() throws {
    let module = try read(SampleText.module)
    let blocks = module.functions[0].blocks
    let store = module.places[blocks[0].instructions[2].place]
    #expect((store.file, store.line, store.function) == ("sample.c", 8, "add"))
    let call = module.places[blocks[4].instructions[0].place]
    #expect((call.line, call.function) == (2, "helper"))
    #expect(module.places[call.caller] == store)
    #expect(blocks[0].instructions[0].place == -1)
  }

  @Test func orderingsAreRead() throws {
    let instructions = try read(SampleText.module).functions[0].blocks[0].instructions
    guard case .load(_, _, let load) = instructions[6].operation,
      case .store(_, _, _, let store) = instructions[7].operation,
      case .compareExchange(_, _, _, _, let exchange, let failure) = instructions[8].operation
    else {
      Issue.record("other instructions than expected")
      return
    }
    #expect(load.ordering == .acquire)
    #expect(store.ordering == .release && store.isVolatile)
    #expect(exchange.ordering == .acquireRelease && failure == .relaxed)
  }

  @Test func mistakesNameTheirLine() {
    let body = "define void @f() {\n  %1 = frobnicate i32 2\n  ret void\n}\n"
    #expect(error(body) == "test.ll:2: the instruction 'frobnicate' is not known")
    #expect(
      error("define void @f() {\n  br label %2\n}\n")
        == "test.ll:1: a block of @f is used and not defined")
    #expect(
      error("define void @f() {\n  ret void\n\n1:\n  %2 = add i32 1, %7\n  ret void\n}\n")
        == "test.ll:1: %7 is used and not defined in @f")
    #expect(
      error("define void @f() {\n  fence seq_cst\n}\n").contains("does not end as blocks end"))
    #expect(error("@x = global i32 what\n") == "test.ll:1: the constant 'what' is not known")
    #expect(error("nonsense\n").hasPrefix("test.ll:1: a global, a function or a type is expected"))
    #expect(
      error("%a = type { i32, %a }\n@x = global %a zeroinitializer\n")
        .contains("too large, contains itself"))
    #expect(error("@x = global [99999999 x i64] zeroinitializer\n").contains("too large"))
    #expect(error("target datalayout = \"E-p:32:32\"\n").contains("little-endian"))
    #expect(error("target datalayout = \"e-p:32:32\"\n").contains("64 bits"))
    #expect(error("define void @f() {\n").contains("the end of the file found"))
  }
}
