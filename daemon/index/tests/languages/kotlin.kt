#!/usr/bin/env kotlin
package shapes.inner

import kotlin.math.PI
import java.util.List as JavaList
import other.*

/** How many. */
const val LIMIT = 10
val plain: Int = 1
var changing = LIMIT + plain
private val String.extended: Int get() = length
val (first, second) = pair()

/**
 * Adds two numbers.
 */
@JvmStatic
fun add(a: Int, b: Int = LIMIT): Int {
    val local = a
    fun nested() = local
    return nested() + b
}

fun String.shout(): String = uppercase()
inline fun <reified T : Any> generic(list: List<T>): T? = list.firstOrNull()

typealias Handler<T> = (T) -> Unit

/** A shape. */
@Serializable(with = Custom::class)
abstract class Shape<T : Comparable<T>>(val sides: Int, name: String) : Base(name), Named by Delegate(sides) {
    // How large.
    open val area: Double = 0.0
    var mutable: Map<String, List<T>>? = null
        private set
    lateinit var late: Other

    init {
        val local = sides
        require(local > 0)
    }

    constructor(name: String) : this(0, name)

    abstract fun describe(): String

    override fun toString() = "text ${describe()} $sides"

    class Nested {
        fun deep() {}
    }

    inner class Inner

    companion object {
        const val ZERO = 0
        fun create(): Shape<Int> = Circle.of(ZERO)
    }
}

data class Point(val x: Int, val y: Int)

interface Named {
    val title: String
    fun rename(to: String)
}

fun interface Runner {
    fun run()
}

enum class Colour(val code: Int) : Named {
    /** Like blood. */
    RED(1),
    GREEN(2) {
        override fun shade() = code
    };

    abstract fun shade(): Int
}

sealed interface Result
annotation class Marked(val why: String)

object Registry : HashMap<String, Shape<*>>() {
    val all = mutableListOf<Shape<Int>>()
}

fun mentions(shape: Shape<Int>?, vararg rest: Named): Unit {
    val made = Point(x = 1, y = rest.size)
    shape?.describe()?.let { it + made.x }
    for ((index, one) in rest.withIndex()) {
        when (one) {
            is Colour -> println(Colour.RED.code shl index)
            in Registry.all -> return@mentions
            else -> throw IllegalStateException("text")
        }
    }
    val call = ::add
    val cast = shape as Shape.Inner
    val runner = object : Runner {
        override fun run() = call(1)
    }
    made.copy(y = 2).also(::println)
    try {
        generic(Registry)
    } catch (e: java.io.IOException) { changing += 1 }
}
