(ns shapes.inner
  "What shapes are."
  (:require [clojure.string :as str :refer [join]]
            [other.core])
  (:import (java.util Date)))

;; How many.
(def limit 10)
(def ^:private hidden {:a 1})
(defonce state (atom nil))

;; Adds two numbers.
(defn add
  "Adds."
  [a b]
  (let [local a]
    (+ local b)))

(defn- secret [x] x)
(defmacro unless [test & body] `(if ~test nil (do ~@body)))
(defmulti area :kind)
(defmethod area :circle [shape] (* 2 (:r shape)))
(defprotocol Named
  (title [this] "Its name."))
(defrecord Shape [sides name]
  Named
  (title [this] (str/upper-case name)))
(deftype Point [x y])
(declare later)

(defn mentions [shape & rest]
  (let [made (->Shape 4 "text")
        {:keys [x y]} shape
        other (Date.)]
    (doseq [one rest]
      (println (.getTime other) @state #'add (map secret rest)))
    (cond (= x limit) (str/join "," [y made])
          :else (throw (IllegalStateException. "text")))))
