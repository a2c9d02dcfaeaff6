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

use App\Models\{User, Post as Article};
use function App\helper;

require_once __DIR__ . '/config.php';
include 'parts/header.php';

#[Attr(LIMIT)]
final class Mentions extends \Lib\Base implements Named, Other\Thing
{
    use Logs;

    public function __construct(private ?User $user, protected Article|int $count = self::LIMIT) {}

    public function run(Shape ...$shapes): static
    {
        $made = new Shapes\Circle($this->user->name, "text {$shapes[0]->area()} $count");
        foreach ($shapes as $key => $shape) { helper($key, \strlen(Shape::LIMIT)); }
        try { return $made?->grow(by: DEFINED) ?? Shape::create(static::$all); }
        catch (Failure | \Error $error) { throw new Failure(); }
        return $made instanceof Article ? Suit::Hearts : fn(int $x) => $x + $made;
    }
}
