#lang racket/base
; What shapes are.
(require racket/list
         (only-in "lib.rkt" helper))
(provide add shape)

;; How many.
(define limit 10)

;; Adds two numbers.
(define (add a [b limit])
  (define local a)
  (define (nested x) (+ x local))
  (nested b))

(define ((curried a) b) a)
(define-syntax-rule (unless-not test body) (if test #f body))
(define-syntax swap! (syntax-rules () [(_ a b) (let ([tmp a]) (set! a b))]))
(define-values (first second) (values 1 2))
(struct shape (sides name) #:transparent)
(struct point shape (x))

(define mentions
  (lambda (made . rest)
    (let loop ([i 0])
      (for ([one rest])
        (printf "~a" (shape-sides one)))
      (when (< i limit) (loop (add1 i))))
    (map helper (list made (shape 4 "text")))))

(module+ test
  (add 1 2))
