;;; elisp.el --- What shapes are  -*- lexical-binding: t; -*-

(require 'cl-lib)
(require 'shapes "lib/shapes")

;; How many.
(defvar shapes-limit 10 "How many.")
(defconst shapes-zero 0)
(defcustom shapes-colour 'red "A colour." :type 'symbol)
(defface shapes-face '((t :bold t)) "A face.")
(defgroup shapes nil "Shapes.")

(defun shapes-add (a &optional b)
  "Add A and B."
  (let ((local a))
    (+ local b)))

(defmacro shapes-unless (test &rest body)
  `(if ,test nil ,@body))

(defsubst shapes-inline (x) x)
(cl-defun shapes-keyed (&key x) x)
(define-minor-mode shapes-mode "A mode.")
(defalias 'shapes-plus #'shapes-add)

(defun shapes-mentions (shape rest)
  (interactive)
  (setq shapes-state shape)
  (dolist (one rest)
    (message "%s" (shapes-add one shapes-limit)))
  (mapcar #'shapes-inline rest)
  (add-hook 'after-init-hook 'shapes-mode))

(provide 'elisp)

(cl-defstruct (shapes-point (:constructor nil)) x y)
(cl-defmacro shapes-with (x) x)
