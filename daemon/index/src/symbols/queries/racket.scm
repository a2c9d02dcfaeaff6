((list . (symbol) @_define . (list . (symbol) @name) . (_) @body) @definition.function
  (#any-of? @_define "define" "define/contract" "define-inline"))
((list . (symbol) @_define . (list . (list . (symbol) @name)) . (_) @body) @definition.function
  (#eq? @_define "define"))
((list . (symbol) @_define . (symbol) @name . (list . (symbol) @_lambda) @body .)
  @definition.function
  (#any-of? @_define "define" "define/contract")
  (#any-of? @_lambda "lambda" "λ" "case-lambda"))
((list . (symbol) @_syntax . [(symbol) @name (list . (symbol) @name)] . (_) @body)
  @definition.macro
  (#match? @_syntax "^define-syntax"))
((list . (symbol) @_struct . (symbol) @name) @definition.struct
  (#any-of? @_struct "struct" "define-struct"))
((list . (symbol) @_struct . (symbol) . (symbol)? . (list (symbol) @name @definition.field))
  (#any-of? @_struct "struct" "define-struct"))
((list . (symbol) @_module . (symbol) @name) @definition.module
  (#any-of? @_module "module" "module*" "module+"))
((list . (symbol) @_define . (symbol) @name) @definition.variable
  (#any-of? @_define "define" "define/contract"))
((list . (symbol) @_define . (list (symbol) @name)) @definition.variable
  (#eq? @_define "define-values"))

;; References
; Words that define, and those that the language is made of.
((list . (symbol) @reference.nothing)
  (#any-of? @reference.nothing
    "require" "provide" "define" "define/contract" "define-values" "define-syntax"
    "define-syntax-rule" "define-syntaxes" "struct" "define-struct" "module" "module*" "module+"
    "lambda" "λ" "case-lambda" "let" "let*" "letrec" "let-values" "if" "cond" "case" "when"
    "unless" "begin" "set!" "quote" "syntax-rules" "only-in" "except-in"
    "prefix-in" "rename-in" "for"))
((list . (symbol) @_require) @within.import (#eq? @_require "require"))
((list . (symbol) @_require (list (string) @reference.import)) (#eq? @_require "require"))
((list . (symbol) @_require (string) @reference.import) (#eq? @_require "require"))

; Names that are bound or listed, and not called.
((list . (symbol) @_let . (symbol)? . (list (list . (symbol) @reference.use)))
  (#any-of? @_let "let" "let*" "letrec" "let-values" "for" "for/list" "for/fold" "for*"))
((list . (symbol) @_lambda . (list) @within.use) (#any-of? @_lambda "lambda" "λ"))
((list . (symbol) @_define . (list (list . (symbol) @reference.use)))
  (#eq? @_define "define"))
((list . (symbol) @_provide) @within.use (#eq? @_provide "provide"))
((list . (symbol) @_struct . (symbol) . (symbol) @reference.type) (#eq? @_struct "struct"))
(quote (list) @within.use)

(list . (symbol) @reference.call)
(symbol) @reference.use
