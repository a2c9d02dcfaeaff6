(package (full_ident) @name) @definition.module
(message (message_name (identifier) @name) (message_body) @body) @definition.struct
(enum (enum_name (identifier) @name) (enum_body) @body) @definition.enum
(enum_field . (identifier) @name) @definition.enumerator
(service (service_name (identifier) @name) "{" @body) @definition.interface
(rpc (rpc_name (identifier) @name)) @definition.method
; An extension has the name of its message.
(extend (full_ident (identifier) @name .) (message_body) @body) @definition.impl
(oneof . "oneof" . (identifier) @name) @definition.field
(oneof_field (identifier) @name) @definition.field
(map_field (identifier) @name) @definition.field
(field (identifier) @name) @definition.field

;; References
(import path: (string) @reference.import)
(message_or_enum_type (identifier) @reference.type .)
(extend (full_ident (identifier) @reference.type .))
(identifier) @reference.use
