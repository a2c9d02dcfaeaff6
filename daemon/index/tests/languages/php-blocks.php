<h1>Some text</h1>
<?php
namespace One {
    function first() {}
}
namespace Two;
class Here {}
namespace Three;
class There {}
?>
<p>More text</p>
