class Before
  def before
  end

  def broken(x
    x +
  end

  def after
  end
end

def last
end
