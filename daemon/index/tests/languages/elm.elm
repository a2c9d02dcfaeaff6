module Shapes.Inner exposing (Shape(..), add)

{-| What shapes are.
-}

import Html exposing (Html, div)
import Dict as D


{-| How many. -}
limit : Int
limit =
    10


{-| Adds two numbers. -}
add : Int -> Int -> Int
add a b =
    let
        local =
            a
    in
    local + b


type alias Model =
    { sides : Int
    , name : String
    }


type Shape a
    = Circle Float
    | Square a


port send : String -> Cmd msg


mentions : Maybe (Shape Int) -> Model -> Html Msg
mentions shape model =
    case shape of
        Just (Circle r) ->
            div [] [ Html.text model.name ]

        _ ->
            List.map (\x -> add x limit) [ 1 ]
                |> D.fromList
                |> render { model | name = "text" }
