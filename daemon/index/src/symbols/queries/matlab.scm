(class_definition name: (identifier) @name) @definition.class
(property name: (identifier) @name) @definition.field
(enum . (identifier) @name) @definition.enumerator
(function_signature name: (identifier) @name) @definition.method
(function_definition name: (identifier) @name (block) @body) @definition.function.method
(function_definition name: (identifier) @name) @definition.function.method

;; References
(function_call name: (identifier) @reference.call)
(superclasses) @within.type
(identifier) @reference.use
