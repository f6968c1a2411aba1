"""Everyday phrases: what a describer of photographs looks for when nobody has given it a list.

Knows words alone. Colors, textures and materials come first, since that is what early layers tell apart; what is not
here can still be a hypothesis, since a judge understands open words.
"""

from __future__ import annotations

EVERYDAY: tuple[str, ...] = (
    *(
        f"{color} things"
        for color in ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray")
    ),
    *(f"a {look} pattern" for look in ("striped", "dotted", "checkered", "woven", "floral", "zigzag", "grid")),
    *("round shapes", "sharp corners", "straight lines", "curved lines", "a smooth surface", "a rough surface"),
    *("fur", "feathers", "scales", "hair", "skin", "leaves", "bark", "grass", "sand", "stones", "brick", "concrete"),
    *("wood", "metal", "glass", "plastic", "cloth", "paper", "leather", "water", "ice", "snow", "smoke", "fire"),
    *("the sky", "clouds", "a sunset", "the night", "shadows", "a reflection", "bright light", "a dark scene"),
    *("a blurred background", "a plain background", "a close-up", "a wide view", "black and white colors"),
    *("a drawing", "a painting", "a logo", "a map", "a chart", "a screen", "written words", "numbers", "a sign"),
    *("a person", "a child", "a crowd", "a face", "eyes", "a smile", "hands", "legs", "a hat", "glasses", "a uniform"),
    *("a dog", "a cat", "a horse", "a cow", "a sheep", "a bear", "an elephant", "a monkey", "a bird", "a duck"),
    *("a fish", "a snake", "a frog", "an insect", "a butterfly", "a spider", "a nose", "ears", "paws", "wings"),
    *("a tree", "flowers", "a forest", "a field", "a garden", "a mountain", "a beach", "the sea", "a river"),
    *("a house", "a tall building", "a church", "a bridge", "a street", "a window", "a door", "stairs", "a fence"),
    *("a car", "a truck", "a bus", "a train", "a bicycle", "a motorcycle", "a boat", "an airplane", "wheels"),
    *("a kitchen", "a bedroom", "an office", "a shop", "a table", "a chair", "a bed", "a sofa", "a shelf", "a lamp"),
    *("food", "fruit", "vegetables", "bread", "a cake", "meat", "a plate", "a cup", "a bottle", "a bowl", "a spoon"),
    *("a book", "a phone", "a computer", "a camera", "a clock", "a bag", "a box", "a ball", "a toy", "a tool", "a gun"),
    *("clothes", "shoes", "jewelry", "a flag", "a balloon", "an umbrella", "a musical instrument"),
    *("sport", "running", "swimming", "playing music", "eating", "a wedding", "a crowd at a concert"),
)  # fmt: skip
