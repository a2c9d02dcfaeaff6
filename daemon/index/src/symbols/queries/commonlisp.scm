((defun (defun_header keyword: (defun_keyword) @_defun function_name: (_) @name) . (_) @body)
  @definition.function
  (#eq? @_defun "defun"))
((defun (defun_header keyword: (defun_keyword) @_defun function_name: (_) @name))
  @definition.function
  (#eq? @_defun "defun"))
((defun (defun_header keyword: (defun_keyword) @_defmacro function_name: (_) @name) . (_) @body)
  @definition.macro
  (#eq? @_defmacro "defmacro"))
(defun (defun_header function_name: (_) @name) . (_) @body) @definition.method
(defun (defun_header function_name: (_) @name)) @definition.method

((list_lit . (sym_lit) @_defpackage . [(kwd_lit (kwd_symbol) @name) (sym_lit) @name (str_lit) @name])
  @definition.module
  (#any-of? @_defpackage "defpackage" "uiop:define-package"))
((list_lit . (sym_lit) @_defvar . (sym_lit) @name) @definition.variable
  (#any-of? @_defvar "defvar" "defparameter"))
((list_lit . (sym_lit) @_defconstant . (sym_lit) @name) @definition.constant
  (#eq? @_defconstant "defconstant"))
((list_lit . (sym_lit) @_defclass . (sym_lit) @name . (list_lit) . (_) @body) @definition.class
  (#any-of? @_defclass "defclass" "define-condition"))
((list_lit . (sym_lit) @_defclass . (sym_lit) . (list_lit) . (list_lit
  [(sym_lit) @name @definition.field (list_lit . (sym_lit) @name) @definition.field]))
  (#any-of? @_defclass "defclass" "define-condition"))
((list_lit . (sym_lit) @_defstruct . [(sym_lit) @name (list_lit . (sym_lit) @name)])
  @definition.struct
  (#eq? @_defstruct "defstruct"))
((list_lit . (sym_lit) @_deftype . (sym_lit) @name) @definition.type
  (#eq? @_deftype "deftype"))

;; References
; Words that define, and those that the language is made of.
((list_lit . (sym_lit) @reference.nothing)
  (#any-of? @reference.nothing
    "defpackage" "in-package" "defvar" "defparameter" "defconstant" "defclass" "defstruct"
    "deftype" "define-condition" "let" "let*" "if" "progn" "setf" "setq" "quote" "function"
    "lambda" "flet" "labels" "block" "return-from" "declare" "cond" "case" "when" "unless"))
((sym_lit) @reference.nothing (#match? @reference.nothing "^&"))
((sym_lit) @reference.nothing (#eq? @reference.nothing "t"))
((list_lit . (sym_lit) @_make . (quoting_lit (sym_lit) @reference.call))
  (#eq? @_make "make-instance"))
((list_lit . (sym_lit) @_require . [(quoting_lit (sym_lit) @reference.import) (str_lit) @reference.import])
  (#any-of? @_require "require" "load"))
((list_lit . (sym_lit) @_defclass . (sym_lit) . (list_lit) @within.type)
  (#any-of? @_defclass "defclass" "define-condition"))
; Names that are bound or listed, and not called.
((list_lit . (sym_lit) @_let . (list_lit (list_lit . (sym_lit) @reference.use)))
  (#any-of? @_let "let" "let*"))
(defun_header lambda_list: (list_lit) @within.use)
(quoting_lit (list_lit) @within.use)

(list_lit . (sym_lit) @reference.call)
(sym_lit) @reference.use
