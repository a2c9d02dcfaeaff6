namespace Outer
{
    namespace Inner.Deep
    {
        static class Extensions
        {
            public static int Double(this int x) => x * 2;
        }
    }

    delegate int Free();
}
