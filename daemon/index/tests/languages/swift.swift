import Foundation
import struct Other.Inner
@testable import Tested

/// How many.
let limit = 10
var state: Int = limit, other = 2

/// Adds two numbers.
///
/// With more to say.
@discardableResult
public func add(_ a: Int, to b: Int = limit) throws -> Int {
    let local = a
    func nested() -> Int { local }
    return nested() + b
}

typealias Handler<T> = (T) -> Void

/** A shape. */
open class Shape<T: Comparable>: Base, Named where T: Hashable {
    /// Its sides.
    public let sides: Int = 4
    private static var count = 0
    lazy var late: [String: Inner] = make()
    var area: Double {
        get { return Double(sides) }
        set { Shape.count = Int(newValue) }
    }

    init(sides: Int) {
        self.sides = sides
        super.init()
    }

    deinit { print("gone") }

    subscript(index: Int) -> T? { return nil }

    static func == (lhs: Shape, rhs: Shape) -> Bool { lhs.sides == rhs.sides }

    override func describe() -> String { "text \(sides) \(add(1, to: 2))" }
}

struct Point: Codable {
    var x, y: Int
    struct Deep {}
}

enum Colour: String, CaseIterable {
    /// Like blood.
    case red, green = "g"
    case mixed(Colour, share: Double)
    indirect case other(of: Colour)

    func shade() -> Colour { .red }
}

protocol Named: AnyObject {
    associatedtype Name: Equatable
    var title: Name { get }
    func rename(to name: Name)
}

extension Shape: Runner where T == Int {
    func run() {}
}

actor Store {
    func save() async {}
}

infix operator <+>: AdditionPrecedence

macro stringify<T>(_ value: T) -> String = #externalMacro(module: "M", type: "S")

func mentions<T: Named>(shape: Shape<Int>?, rest: T...) -> some View where T.Name == String {
    let made = Point(x: 1, y: rest.count)
    guard let shape = shape, case .mixed(let inner, _) = Colour.red else { return nil }
    shape.describe().map { $0 + made.x }
    for (index, one) in rest.enumerated() where one is Colour {
        print(one as? Point, index, Shape.create(sides: index))
    }
    do { try add(limit, to: state) } catch let error as Failure.Kind { throw error }
    switch made { case let point as Point: break; default: fatalError() }
    #if DEBUG
    log(#function)
    #endif
    return Text("text").padding(\.top, [Int](repeating: 0, count: 1))
}
