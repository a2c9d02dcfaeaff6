<?php

declare(strict_types=1);

namespace App\Shapes;

use X\Y;

define('DEFINED', 1);
const FIRST = 1, SECOND = 2;
$global = 1;
$global = 2;

/**
 * Adds two numbers.
 */
function add(int $a, int $b): int
{
    $local = 1;
    return $a + $b;
}

/** A shape. */
#[Attribute]
#[Route('/shape', methods: ['GET'])]
abstract class Shape extends Base implements Named
{
    use Coloured;

    public const LIMIT = 10;
    const string TYPED = 'a';

    // Its name.
    private $name, $other = 1;
    public static int $count = 0;
    public readonly string $id;

    public function __construct(private int $x, protected ?string $y = null, $plain = 1) {}

    /** How large. */
    #[Pure]
    abstract public function area(): float;

    public static function of()
    {
        return function () { $inner = 1; };
    }
}

interface Named extends Base
{
    const PREFIX = 'x';
    public function name(): string;
}

trait Coloured
{
    public $colour;
    function paint() {}
}

enum Suit: string
{
    case Hearts = 'H';
    case Spades = 'S';
    const Wild = self::Spades;
    public function label(): string {}
}

if (!function_exists('conditional')) {
    function conditional() {}
}

$anonymous = new class {
    public function method() {}
};
