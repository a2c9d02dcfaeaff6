(function_definition
  name: (symbol) @name parameters: (_) . docstring: (_)? . (_) @body) @definition.function
(function_definition name: (symbol) @name) @definition.function
(macro_definition
  name: (symbol) @name parameters: (_) . docstring: (_)? . (_) @body) @definition.macro
(macro_definition name: (symbol) @name) @definition.macro
(special_form "defconst" . (symbol) @name) @definition.constant
(special_form "defvar" . (symbol) @name) @definition.variable
((list . (symbol) @_def . (symbol) @name) @definition.variable
  (#any-of? @_def "defcustom" "defface" "defgroup" "defvar-local" "defvar-keymap"))
((list . (symbol) @_def . (symbol) @name . (list) . (_) @body) @definition.function
  (#any-of? @_def
    "cl-defun" "cl-defsubst" "cl-defgeneric" "cl-defmethod" "defun*" "define-inline"))
((list . (symbol) @_def . (symbol) @name) @definition.function
  (#any-of? @_def
    "cl-defun" "cl-defsubst" "cl-defgeneric" "cl-defmethod" "defun*" "define-inline"
    "define-minor-mode" "define-derived-mode" "define-globalized-minor-mode" "ert-deftest"))
((list . (symbol) @_def . (symbol) @name) @definition.macro
  (#any-of? @_def "cl-defmacro" "pcase-defmacro"))
((list . (symbol) @_def . [(symbol) @name (list . (symbol) @name)]) @definition.struct
  (#any-of? @_def "cl-defstruct" "defclass"))
((list . (symbol) @_def . (quote (symbol) @name)) @definition.function
  (#any-of? @_def "defalias" "define-obsolete-function-alias"))

;; References
((list . (symbol) @_require . (quote (symbol) @reference.import))
  (#eq? @_require "require"))
((list . (symbol) @_require . (quote (symbol)) . (string) @reference.import)
  (#eq? @_require "require"))
((list . (symbol) @_load . (string) @reference.import) (#any-of? @_load "load" "load-file"))
((symbol) @reference.nothing (#match? @reference.nothing "^[:&]"))
((symbol) @reference.nothing (#any-of? @reference.nothing "t" "nil"))
((list . (symbol) @reference.nothing)
  (#any-of? @reference.nothing
    "defcustom" "defface" "defgroup" "defvar-local" "defvar-keymap" "cl-defun" "cl-defsubst"
    "cl-defgeneric" "cl-defmethod" "cl-defmacro" "cl-defstruct" "define-minor-mode"
    "define-derived-mode" "defalias" "provide" "declare"))

; Names that are bound or listed, and not called.
(special_form ["let" "let*"] . (list (list . (symbol) @reference.use)))
((list . (symbol) @_each . (list . (symbol) @reference.use))
  (#any-of? @_each "dolist" "dotimes"))
(function_definition parameters: (list) @within.use)
(macro_definition parameters: (list) @within.use)
((list . (symbol) @_defun . (symbol) . (list) @within.use)
  (#any-of? @_defun "cl-defun" "cl-defsubst" "cl-defmacro" "lambda"))
(quote (list) @within.use)

(list . (symbol) @reference.call)
(symbol) @reference.use
