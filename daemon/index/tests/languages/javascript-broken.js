function before() {}

class Before {
  method() {}
  broken( {
    return 1 +;
  }
  another() {}
}

function after() {}
const last = () => {};
