((call
  target: (identifier) @_defmodule (arguments . (alias) @name) (do_block) @body)
  @definition.module
  (#eq? @_defmodule "defmodule"))
((call
  target: (identifier) @_defprotocol (arguments . (alias) @name) (do_block) @body)
  @definition.interface
  (#eq? @_defprotocol "defprotocol"))
((call
  target: (identifier) @_defimpl (arguments . (alias) @name) (do_block) @body)
  @definition.impl
  (#eq? @_defimpl "defimpl"))

; Each clause of a function is a definition of it.
((call
  target: (identifier) @_def
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: (identifier) @name operator: "when")
    (binary_operator left: (call target: (identifier) @name) operator: "when")
  ])
  (do_block) @body) @definition.function.method
  (#any-of? @_def "def" "defp" "defn" "defnp"))
((call
  target: (identifier) @_def
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: (identifier) @name operator: "when")
    (binary_operator left: (call target: (identifier) @name) operator: "when")
  ])) @definition.function.method
  (#any-of? @_def "def" "defp" "defn" "defnp" "defdelegate"))
((call
  target: (identifier) @_def
  (arguments . (binary_operator operator: _ @name))) @definition.function
  (#any-of? @_def "def" "defp") (#not-eq? @name "when"))
((call
  target: (identifier) @_def
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: (identifier) @name operator: "when")
    (binary_operator left: (call target: (identifier) @name) operator: "when")
  ])
  (do_block) @body) @definition.macro
  (#any-of? @_def "defmacro" "defmacrop"))
((call
  target: (identifier) @_def
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: (identifier) @name operator: "when")
    (binary_operator left: (call target: (identifier) @name) operator: "when")
  ])) @definition.macro
  (#any-of? @_def "defmacro" "defmacrop" "defguard" "defguardp"))

((call target: (identifier) @_defstruct (arguments [
    (list [(atom) @name (keywords (pair key: (keyword) @name))] @definition.field)
    (keywords (pair key: (keyword) @name) @definition.field)
  ]))
  (#any-of? @_defstruct "defstruct" "defexception"))

((unary_operator operator: "@" operand: (call
  target: (identifier) @_type
  (arguments (binary_operator
    left: [(identifier) @name (call target: (identifier) @name)] operator: "::")))) @definition.type
  (#any-of? @_type "type" "typep" "opaque"))
((unary_operator operator: "@" operand: (call
  target: (identifier) @_callback
  (arguments (binary_operator left: (call target: (identifier) @name) operator: "::"))))
  @definition.method
  (#any-of? @_callback "callback" "macrocallback"))
; What the compiler knows of a module is no value of its.
((unary_operator operator: "@" operand: (call target: (identifier) @name (arguments)))
  @declaration
  (#any-of? @name
    "moduledoc" "doc" "typedoc" "spec" "type" "typep" "opaque" "callback" "macrocallback"
    "impl" "behaviour" "derive" "deprecated" "since" "enforce_keys" "compile" "dialyzer"
    "external_resource" "on_load" "before_compile" "after_compile" "optional_callbacks" "vsn"
    "fallback_to_any" "tag" "describetag" "moduletag"))
(unary_operator operator: "@" operand: (call target: (identifier) @name (arguments)))
  @assignment.constant

;; References
; Words that define, and those that others have built into the language.
((call target: (identifier) @reference.nothing)
  (#any-of? @reference.nothing
    "def" "defp" "defn" "defnp" "defmacro" "defmacrop" "defguard" "defguardp" "defdelegate"
    "defmodule" "defprotocol" "defimpl" "defstruct" "defexception" "defoverridable"
    "alias" "import" "require" "use" "quote" "unquote" "if" "unless" "case" "cond" "with"
    "for" "try" "receive" "fn"))
((identifier) @reference.nothing (#match? @reference.nothing "^__[A-Z]+__$"))
((call target: (identifier) @_import (arguments) @within.import)
  (#any-of? @_import "alias" "import" "require" "use"))
((unary_operator operator: "@" operand: (call target: (identifier) @reference.nothing))
  (#any-of? @reference.nothing
    "moduledoc" "doc" "typedoc" "spec" "type" "typep" "opaque" "callback" "macrocallback"
    "impl" "behaviour" "derive" "deprecated" "since" "enforce_keys" "compile" "dialyzer"
    "external_resource" "on_load" "before_compile" "after_compile" "optional_callbacks" "vsn"))

; What a specification says is all types, but what it is of.
((unary_operator operator: "@" operand: (call
  target: (identifier) @_spec
  (arguments (binary_operator left: (call target: (identifier) @reference.use)))))
  (#eq? @_spec "spec"))
((unary_operator operator: "@" operand: (call
  target: (identifier) @_spec (arguments) @within.type))
  (#any-of? @_spec "spec" "type" "typep" "opaque" "callback" "macrocallback" "behaviour"))

; Without arguments `a.b` is a field, unless `a` is a module.
(call target: (dot right: (identifier) @reference.call) (arguments))
(call target: (dot left: (alias) right: (identifier) @reference.call))
(call target: (identifier) @reference.call)
(binary_operator operator: "|>" right: (identifier) @reference.call)
(unary_operator operator: "&"
  operand: (binary_operator left: (identifier) @reference.call operator: "/"))

(struct (alias) @reference.type)
[(alias) (identifier)] @reference.use
