// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import "./Base.sol";
import {Other as Renamed} from "other/Other.sol";

uint256 constant LIMIT = 10;

/// A token.
contract Token is Base, Renamed(1) {
    using SafeMath for uint256;

    // Who has what.
    mapping(address => uint256) public balances;
    uint256 private constant ZERO = 0;
    Colour internal colour;

    enum Colour { Red, Green }
    struct Point { uint256 x; Colour colour; }
    event Moved(address indexed from, uint256 value);
    error Broken(uint256 code);

    modifier onlyOwner() { require(msg.sender == owner, "text"); _; }

    constructor(uint256 supply) Base(supply) { balances[msg.sender] = supply; }

    /// Adds two numbers.
    function add(uint256 a, uint256 b) public pure onlyOwner returns (uint256) {
        uint256 local = a;
        return local + b;
    }

    receive() external payable {}
    fallback() external {}

    function mentions(Point memory point, IToken token) external {
        Point memory made = Point({x: LIMIT, colour: Colour.Red});
        emit Moved(msg.sender, token.balanceOf(address(this)));
        if (point.x > made.x) revert Broken(1);
        Token other = new Token(add(1, 2));
        for (uint i = 0; i < LIMIT; i++) { other.add{value: 1}(i, ZERO); }
    }
}

interface IToken { function balanceOf(address who) external view returns (uint256); }
library SafeMath { function twice(uint256 x) internal pure returns (uint256) { return x * 2; } }
function free(uint256 x) pure returns (uint256) { return LIMIT + x; }
