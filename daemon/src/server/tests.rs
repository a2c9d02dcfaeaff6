//! One test a rule, over a real socket.
