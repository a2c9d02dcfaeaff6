;;; What shapes are.
(defpackage :shapes
  (:use :cl)
  (:export #:add))
(in-package :shapes)

;; How many.
(defvar *limit* 10 "How many.")
(defparameter *state* nil)
(defconstant +zero+ 0)

(defun add (a b)
  "Adds two numbers."
  (let ((local a))
    (+ local b)))

(defmacro unless-not (test &body body)
  `(if ,test nil (progn ,@body)))

(defclass shape (base)
  ((sides :initarg :sides :accessor shape-sides)
   (name :initform "text")))

(defstruct point x y)

(defgeneric area (shape))
(defmethod area ((shape shape))
  (* 2 (shape-sides shape)))

(defun mentions (shape &rest rest)
  (let ((made (make-instance 'shape :sides 4)))
    (loop for one in rest
          do (format t "~a" (area one)))
    (mapcar #'add rest (list *limit* shape))
    (setf *state* made)))

;; A number or nothing.
(deftype maybe () '(or null integer))
