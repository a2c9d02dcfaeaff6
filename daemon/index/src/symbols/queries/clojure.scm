((list_lit . (sym_lit name: (sym_name) @_ns) . (sym_lit name: (sym_name) @name))
  @definition.module
  (#eq? @_ns "ns"))
((list_lit . (sym_lit name: (sym_name) @_def) . (sym_lit name: (sym_name) @name))
  @definition.variable
  (#any-of? @_def "def" "defonce"))
((list_lit
  . (sym_lit name: (sym_name) @_defn) . (sym_lit name: (sym_name) @name)
  . (str_lit)? . (map_lit)? . (vec_lit) . (_) @body) @definition.function
  (#any-of? @_defn "defn" "defn-"))
((list_lit
  . (sym_lit name: (sym_name) @_defn) . (sym_lit name: (sym_name) @name)
  . (str_lit)? . (list_lit) @body) @definition.function
  (#any-of? @_defn "defn" "defn-"))
((list_lit . (sym_lit name: (sym_name) @_defn) . (sym_lit name: (sym_name) @name))
  @definition.function
  (#any-of? @_defn "defn" "defn-" "defmulti"))
((list_lit
  . (sym_lit name: (sym_name) @_defmacro) . (sym_lit name: (sym_name) @name)
  . (str_lit)? . (vec_lit) . (_) @body) @definition.macro
  (#eq? @_defmacro "defmacro"))
((list_lit . (sym_lit name: (sym_name) @_defmacro) . (sym_lit name: (sym_name) @name))
  @definition.macro
  (#eq? @_defmacro "defmacro"))
((list_lit
  . (sym_lit name: (sym_name) @_defmethod) . (sym_lit name: (sym_name) @name)
  (vec_lit) . (_) @body) @definition.method
  (#eq? @_defmethod "defmethod"))
((list_lit . (sym_lit name: (sym_name) @_defprotocol) . (sym_lit name: (sym_name) @name))
  @definition.interface
  (#any-of? @_defprotocol "defprotocol" "definterface"))
((list_lit
  . (sym_lit name: (sym_name) @_defrecord) . (sym_lit name: (sym_name) @name) (vec_lit) . (_) @body)
  @definition.class
  (#any-of? @_defrecord "defrecord" "deftype"))
((list_lit . (sym_lit name: (sym_name) @_defrecord) . (sym_lit name: (sym_name) @name))
  @definition.class
  (#any-of? @_defrecord "defrecord" "deftype"))
((list_lit . (sym_lit name: (sym_name) @_defrecord)
  (list_lit . (sym_lit name: (sym_name) @name) . (vec_lit)) @definition.method)
  (#any-of? @_defrecord "defprotocol" "definterface" "defrecord" "deftype"))

;; References
; Words that define, and those that the language is made of.
((list_lit . (sym_lit name: (sym_name) @reference.nothing))
  (#any-of? @reference.nothing
    "ns" "def" "defonce" "defn" "defn-" "defmulti" "defmacro" "defmethod" "defprotocol"
    "definterface" "defrecord" "deftype" "declare" "let" "if" "do" "fn" "loop" "recur" "quote"
    "var" "try" "catch" "finally" "throw" "new" "set!"))
((sym_name) @reference.nothing (#any-of? @reference.nothing "&" "."))
((list_lit . (sym_lit name: (sym_name) @_ns)) @within.import (#eq? @_ns "ns"))

(list_lit . (sym_lit name: (sym_name) @reference.call))
(anon_fn_lit . (sym_lit name: (sym_name) @reference.call))
[(sym_name) (sym_ns)] @reference.use
