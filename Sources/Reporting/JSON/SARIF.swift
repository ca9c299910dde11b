// The parts of SARIF 2.1.0 that reports use, with the names of the specification.

/// A log file (section 3.13 of the specification).
public struct SARIFLog: Encodable, Sendable {
  static let schemaURI =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

  var schema = SARIFLog.schemaURI
  var version = "2.1.0"
  var runs: [Run]

  enum CodingKeys: String, CodingKey {
    case schema = "$schema"
    case version
    case runs
  }

  struct Message: Encodable, Sendable {
    var text: String
  }

  struct Run: Encodable, Sendable {
    var tool: Tool
    var invocations: [Invocation]
    var originalUriBaseIds: [String: ArtifactLocation]
    var columnKind = "unicodeCodePoints"
    var results: [Result]
  }

  struct Tool: Encodable, Sendable {
    struct Driver: Encodable, Sendable {
      var name: String
      var version: String
      var semanticVersion: String
      var rules: [Rule]
    }

    var driver: Driver
  }

  /// A `reportingDescriptor`.
  struct Rule: Encodable, Sendable {
    struct Configuration: Encodable, Sendable {
      var level: String
    }

    var id: String
    var shortDescription: Message
    var fullDescription: Message
    var help: Message
    var defaultConfiguration = Configuration(level: "error")
  }

  struct Invocation: Encodable, Sendable {
    var executionSuccessful: Bool
    var exitCode: Int32
    var toolExecutionNotifications: [Notification]?
  }

  struct Notification: Encodable, Sendable {
    var level: String
    var message: Message
  }

  struct Result: Encodable, Sendable {
    var ruleId: String
    var ruleIndex: Int
    var kind = "fail"
    var level = "error"
    var message: Message
    var locations: [Location]
    var codeFlows: [CodeFlow]
    /// Values that identify the same violation across runs, by the name of the method.
    var partialFingerprints: [String: String]
    var suppressions: [Suppression]?
    var properties: [String: String]
  }

  struct Suppression: Encodable, Sendable {
    var kind = "inSource"
    var status = "accepted"
    var justification: String
  }

  struct CodeFlow: Encodable, Sendable {
    var message: Message
    var threadFlows: [ThreadFlow]
  }

  struct ThreadFlow: Encodable, Sendable {
    var id: String
    var locations: [ThreadFlowLocation]
  }

  struct ThreadFlowLocation: Encodable, Sendable {
    var location: Location
    var executionOrder: Int
    var nestingLevel: Int
    var importance: String
  }

  struct Location: Encodable, Sendable {
    var physicalLocation: PhysicalLocation?
    var logicalLocations: [LogicalLocation]
    var message: Message?
  }

  struct LogicalLocation: Encodable, Sendable {
    var fullyQualifiedName: String
    var kind = "function"
  }

  struct PhysicalLocation: Encodable, Sendable {
    struct Region: Encodable, Sendable {
      var startLine: Int
    }

    var artifactLocation: ArtifactLocation
    var region: Region
  }

  struct ArtifactLocation: Encodable, Sendable {
    var uri: String?
    var uriBaseId: String?
    var description: Message?
  }
}
