# frozen_string_literal: true

require 'set'

# Shapes.
module Shapes
  LIMIT = 10

  # A shape
  # of some kind.
  class Round::Shape < Base
    COLOURS = %w[red green].freeze
    WIDTH, HEIGHT = 1, 2
    DEFAULT ||= 3
    attr_accessor :name, :size
    attr_reader :id
    @@count = 0

    def initialize(name)
      @name = name
      local = 1
    end

    # Makes one.
    def self.create(*args)
    end

    def Other.make; end
    def name=(value); end
    def ==(other) true end
    def [](index) = nil
    def empty?; end
    def twice = 2

    class << self
      def build; end
      private def hidden; end
    end

    alias title name
    alias_method :label, :name
    define_method(:dynamic) { |x| y = 1 }
    Other::NESTED = 1

    Point = Struct.new(:x, :y) do
      def distance; end
    end

    private

    def secret
      helper = proc { z = 1 }
    end
  end
end

$global = 1
$global = 2
local = 1

=begin
A block of words.
=end
def top(a, b = 2, *rest, key:, **others, &block)
end

class Short < StandardError; end

module Documented
  # What stands here documents nothing.
  def within # nor does this
    1
  end
end

require 'json'
require_relative "lib/own"

class Mentions < Outer::Base
  include Comparable
  extend Forwardable::More

  def run(items, key: LIMIT)
    made = Short.new(items.first, "text #{key} #{top(1)}")
    @state ||= Documented::Inner.new
    items.each { |item| item.call(made, &:to_s) }
    $global = @@count + helper
    case made
    when Short, Integer then puts made.name
    end
  rescue ArgumentError, Outer::Failed => error
    raise Failed.new(error), "text"
  end
end
