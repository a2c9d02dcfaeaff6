{-# LANGUAGE OverloadedStrings #-}
-- | What shapes are.
module Shapes.Inner
  ( Shape (..)
  , add
  ) where

import Data.List (sortBy)
import qualified Data.Map as Map
import Other hiding (hidden)

-- | How many.
limit :: Int
limit = 10

-- | Adds two numbers.
add :: Num a => a -> a -> a
add a b = nested local
  where
    local = a
    nested x = x + b

infixl 6 <+>
(<+>) :: Int -> Int -> Int
a <+> b = add a b

-- | A shape.
data Shape a
  = Circle Double
  | Square { side :: Double, name :: String }
  deriving (Show, Eq)

newtype Id = Id { unId :: Int }
type Handler a = a -> IO ()
type family Elem c

class Show a => Named a where
  type Key a
  title :: a -> String
  title = show

instance Named (Shape a) where
  title (Circle r) = "circle" ++ show r
  title shape = name shape

mentions :: (Named a, Ord b) => Maybe (Shape a) -> Map.Map String b -> IO ()
mentions shape rest = do
  made <- traverse title shape
  let other = Square { side = 1, name = "text" }
      (x, y) = (limit, Map.size rest)
  case shape of
    Just (Circle r) | r > 0 -> print (x `add` y)
    Nothing -> mapM_ putStrLn . Map.keys $ rest
  if null made then pure () else sortBy compare [z | z <- [x .. y], even z]
  where helper = \v -> v <+> limit

main :: IO ()
main = mentions (Just (Circle 1.0)) Map.empty
