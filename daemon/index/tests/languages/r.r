library(dplyr)
library("ggplot2")
require(stats)
source("lib/own.R")

# How many.
limit <- 10
state = limit
"quoted" <- 2
3 -> right
globals <<- 1

#' Adds two numbers.
#'
#' @param a the first
add <- function(a, b = limit) {
  local <- a
  nested <- function(x) x + local
  nested(b)
}

short = \(x) x + 1

print.shape <- function(x, ...) UseMethod("print")

setClass("Shape", representation(sides = "numeric"))
setGeneric("area", function(shape) standardGeneric("area"))
setMethod("area", "Shape", function(shape) shape@sides)

Person <- R6Class("Person",
  public = list(
    name = NULL,
    greet = function() cat(self$name)
  )
)

mentions <- function(data, ...) {
  made <- data %>% filter(column > limit) |> dplyr::mutate(other = add(column, b = 1))
  for (index in seq_along(made$items)) {
    if (is.null(made[[index]])) next
    stats:::hidden(made@slot, "text")
  }
  result <- sapply(made, function(x) x$value)
  names(result) <- globals
  ~ y + x
  invisible(result)
}
