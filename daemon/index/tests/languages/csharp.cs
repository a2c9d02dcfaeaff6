using System;

namespace Example.Shapes;

/// <summary>A shape.</summary>
[Serializable]
[Obsolete("use another", true)]
public abstract partial class Shape<T> : Base, INamed where T : class
{
    public const int Limit = 10;
    private static readonly string Name = "";
    int x, y = 2;
    public event EventHandler Changed;
    public event EventHandler Custom { add { } remove { } }

    /// <summary>
    /// How many sides.
    /// </summary>
    public int Sides { get; set; } = 1;
    public int Half => x / 2;
    public string this[int index] { get { return ""; } }

    public Shape(int x) : base(x)
    {
        int local = 1;
        void Nested() { }
    }

    ~Shape() { }

    public static Shape operator +(Shape a, Shape b) => a;
    public static implicit operator int(Shape s) => 1;

    [Test] public async Task<int> RunAsync<U>(int x) where U : class
    {
        return 1;
    }

    void INamed.Rename() { }
    public abstract double Area();
    public delegate void Handler(int x);

    enum Colour
    {
        Red,
        Green = 2,
    }

    struct Point
    {
        public int X;
    }

    interface INamed
    {
        void Rename();
        int Id { get; }
    }
}

public record Person(int Id, string Name)
{
    public int Twice => Id * 2;
}

public record struct Size(int Width);

[Serializable, Custom.Mark(Size = 1)]
public class Mentions<T> : Base<T>, IShape where T : class, IComparable<T>
{
    private readonly Dictionary<string, List<T>> all = new();
    public Size Of => new Size(Limit);

    public override async Task<T?> Get(Person person, params Size[] sizes)
    {
        var made = new Shapes.Circle<T>(person.Name, sizes[Count]) { Radius = 1 };
        foreach (T one in all.Values) await one.Save<T>();
        made?.Rename($"text {Format(person)}");
        if (person is Student { Id: 1 } student && made is not null) goto done;
        try { return (T)Shape.Create(typeof(Person), nameof(Get), default(T)); }
        catch (IO.Failure error) when (error.Code == 1) { throw; }
    done:
        return made as T;
    }
}
