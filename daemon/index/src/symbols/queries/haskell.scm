(header module: (module) @name) @definition.module

(data_type name: (name) @name) @definition.struct
(newtype name: (name) @name) @definition.struct
(data_constructor constructor: (_ name: (constructor) @name)) @definition.enumerator
(newtype_constructor name: (constructor) @name) @definition.enumerator
(field name: (field_name (variable) @name)) @definition.field
(type_synonym name: (name) @name) @definition.type
(type_family name: (name) @name) @definition.type
(class name: (name) @name declarations: (_) @body) @definition.trait
(class name: (name) @name) @definition.trait
; An instance has the name of its class.
(instance name: (name) @name declarations: (_) @body) @definition.impl
(instance name: (name) @name) @definition.impl

; What a signature tells is not told again by its clauses, each of which is a definition, too.
(declarations (signature name: (variable) @name) @definition.function)
(declarations (signature name: (prefix_id (operator) @name)) @definition.function)
(class_declarations (signature name: (variable) @name) @definition.method)
(function name: (variable) @name match: (_) @body) @definition.function.method
(function name: (variable) @name) @definition.function.method
(function (infix operator: (operator) @name) match: (_) @body) @definition.function.method
(bind name: (variable) @name) @definition.variable.method

; What these bind is their own.
(local_binds) @local
(lambda) @local

;; References
(import) @within.import
(infix operator: (infix_id (variable) @reference.call))
(apply function: (variable) @reference.call)
(apply function: (qualified id: (variable) @reference.call))
(module (module_id) @reference.use)
(signature type: (_) @within.type)
(name) @reference.type
[(variable) (constructor)] @reference.use
