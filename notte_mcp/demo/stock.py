"""What the demo shop sells.

Below: nothing. Above: pages, shop.
"""

from dataclasses import dataclass
from typing import Final, Literal

Drawing = Literal["kettle", "pot", "cup", "leaf"]


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf. `price` is in cents; `drawing` is the picture it is shown with, `tint` its colour."""

    slug: str
    name: str
    price: int
    about: str
    drawing: Drawing
    tint: str


STOCK: Final = (
    Product("copper-kettle", "Copper kettle", 8_900, "Whistles in G. Holds 1.4 litres.", "kettle", "#c8794a"),
    Product("enamel-kettle", "Enamel kettle", 4_600, "White with a blue rim, for any stove.", "kettle", "#6f8fae"),
    Product("gooseneck-kettle", "Gooseneck kettle", 7_250, "Pours a thin, steady stream.", "kettle", "#4d5359"),
    Product("iron-teapot", "Cast iron teapot", 6_800, "Keeps its warmth for an hour.", "pot", "#3f4a45"),
    Product("glass-teapot", "Glass teapot", 3_900, "Watch the leaves open.", "pot", "#7fa59a"),
    Product("clay-teapot", "Red clay teapot", 5_400, "Unglazed; better every year.", "pot", "#a8553d"),
    Product("stone-cup", "Stoneware cup", 1_850, "Thumb rest, matt glaze, 0.25 litres.", "cup", "#8a7f70"),
    Product("travel-cup", "Travel cup", 2_400, "Double wall, tight lid.", "cup", "#2f6f73"),
    Product("set-of-bowls", "Set of four tea bowls", 3_200, "Thin porcelain, celadon green.", "cup", "#86a789"),
    Product("green-tea", "Sencha, 100 g", 1_290, "First harvest, steamed.", "leaf", "#5b8c3e"),
    Product("black-tea", "Highland black, 100 g", 980, "Malty and strong.", "leaf", "#7a4b2b"),
    Product("mint-tea", "Garden mint, 60 g", 760, "Dried whole, no caffeine.", "leaf", "#3f9b6c"),
)


def find(words: str) -> list[Product]:
    """The products in whose name or description every one of `words` occurs; all of them for no words."""
    wanted = words.casefold().split()
    return [item for item in STOCK if all(word in f"{item.name} {item.about}".casefold() for word in wanted)]


def product(slug: str) -> Product | None:
    """The product of this slug."""
    return next((item for item in STOCK if item.slug == slug), None)
