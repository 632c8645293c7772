"""Product pictures: small still lifes drawn as SVG from a kind of object and a hue, the same each time."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Palette:
    """The colors of one picture, all derived from one hue so that every picture is at peace with itself."""

    hue: int

    def tone(self, turn: int, saturation: int, lightness: int) -> str:
        """A color so many degrees away; greens and violets are calmed, which shout at equal saturation."""
        hue = (self.hue + turn) % 360
        calm = 0.55 if 75 <= hue <= 172 else 0.7 if 230 <= hue <= 340 else 0.9
        return f"hsl({hue} {saturation * calm:.0f}% {lightness}%)"

    @property
    def wall(self) -> str:
        return self.tone(28, 34, 87)

    @property
    def sunlight(self) -> str:
        return self.tone(34, 60, 94)

    @property
    def table(self) -> str:
        return self.tone(14, 24, 73)

    @property
    def shadow(self) -> str:
        return self.tone(10, 28, 40)

    @property
    def main(self) -> str:
        return self.tone(0, 44, 50)

    @property
    def shade(self) -> str:
        return self.tone(-6, 46, 39)

    @property
    def light(self) -> str:
        return self.tone(8, 52, 66)

    @property
    def pale(self) -> str:
        return self.tone(24, 48, 92)

    @property
    def detail(self) -> str:
        return self.tone(165, 40, 62)

    @property
    def dark(self) -> str:
        return self.tone(-10, 28, 22)


WOOD, WOOD_DARK = "hsl(28 36% 56%)", "hsl(26 38% 42%)"
LEAF, LEAF_DARK, LEAF_LIGHT = "hsl(138 26% 42%)", "hsl(144 30% 31%)", "hsl(120 26% 55%)"


def path(shape: str, fill: str, extra: str = "") -> str:
    return f'<path d="{shape}" fill="{fill}" {extra}/>'


def line(shape: str, stroke: str, width: float, extra: str = "") -> str:
    ends = 'stroke-linecap="round" stroke-linejoin="round"'
    return f'<path d="{shape}" fill="none" stroke="{stroke}" stroke-width="{width}" {ends} {extra}/>'


def rect(x: float, y: float, width: float, height: float, fill: str, round_by: float = 0, extra: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_by:g}" fill="{fill}" {extra}/>'


def ellipse(x: float, y: float, across: float, down: float, fill: str, extra: str = "") -> str:
    return f'<ellipse cx="{x:g}" cy="{y:g}" rx="{across:g}" ry="{down:g}" fill="{fill}" {extra}/>'


def group(parts: list[str], extra: str = "") -> str:
    return f"<g {extra}>{''.join(parts)}</g>"


def ground_shadow(p: Palette, x: float, y: float, across: float) -> str:
    return ellipse(x + 28, y, across, 20, p.shadow, 'opacity="0.28"')


def leaf(x: float, y: float, turn: float, size: float, fill: str, rib: str) -> str:
    blade = path("M0 0C-48-52-44-138 0-190 44-138 48-52 0 0z", fill)
    return group([blade, line("M0-8V-150", rib, 4)], f'transform="translate({x:g} {y:g}) rotate({turn:g}) scale({size:g})"')


def mug(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 290, 478, 150),
            line("M384 286C470 276 474 424 376 412", p.shade, 28),
            path("M188 232H388V424C388 462 362 484 326 484H250C214 484 188 462 188 424z", p.main),
            path("M336 232H388V424C388 462 362 484 326 484H306C328 470 336 450 336 424z", p.shade, 'opacity="0.55"'),
            path("M188 344Q288 372 388 344V386Q288 414 188 386z", p.pale),
            path("M188 356Q288 384 388 356V362Q288 390 188 362z", p.detail),
            path("M188 368Q288 396 388 368V374Q288 402 188 374z", p.detail),
            ellipse(288, 232, 100, 25, p.light),
            ellipse(288, 235, 85, 18, "hsl(24 45% 26%)"),
            ellipse(268, 232, 42, 7, "hsl(26 45% 38%)"),
            line("M262 190C240 164 280 146 258 112", "#fff", 9, 'opacity="0.6"'),
            line("M312 192C292 168 332 142 308 100", "#fff", 9, 'opacity="0.6"'),
        ]
    )


def bowl(p: Palette) -> str:
    fruit = "hsl(34 78% 58%)"
    return "".join(
        [
            ground_shadow(p, 300, 488, 170),
            ellipse(300, 318, 178, 38, p.shade),
            ellipse(222, 276, 60, 58, fruit),
            ellipse(378, 282, 58, 56, "hsl(24 72% 54%)"),
            ellipse(300, 252, 62, 60, "hsl(40 82% 63%)"),
            ellipse(280, 232, 20, 16, "#fff", 'opacity="0.35"'),
            line("M304 194Q306 178 316 170", WOOD_DARK, 7),
            path("M314 182C330 160 358 160 372 170 356 190 332 192 314 182z", LEAF),
            path("M232 474H368L376 494H224z", p.shade),
            path("M122 318A178 38 0 0 0 478 318C474 420 404 482 300 482S126 420 122 318z", p.main),
            path(
                "M400 345C440 338 466 330 478 318 474 420 404 482 300 482 366 468 400 420 400 345z",
                p.shade,
                'opacity="0.5"',
            ),
            line("M134 366Q300 430 466 366", p.pale, 9),
            line("M146 392Q300 452 454 392", p.pale, 4),
        ]
    )


def lamp(p: Palette) -> str:
    return "".join(
        [
            *(ellipse(300, 250, wide, wide * 0.88, "hsl(46 95% 84%)", 'opacity="0.2"') for wide in (230, 195, 160, 125)),
            ground_shadow(p, 300, 484, 130),
            rect(290, 280, 20, 110, WOOD_DARK, 6),
            path("M246 400C246 364 354 364 354 400 384 424 376 486 340 488H260C224 486 216 424 246 400z", p.main),
            path(
                "M330 376C346 380 354 388 354 400 384 424 376 486 340 488H306C350 470 352 420 330 376z",
                p.shade,
                'opacity="0.55"',
            ),
            line("M232 440Q300 458 368 440", p.pale, 8),
            path("M224 104H376L448 292Q300 318 152 292z", p.pale),
            path("M332 104H376L448 292Q410 300 364 304z", p.light, 'opacity="0.45"'),
            line("M222 104H378", p.detail, 9),
            line("M154 290Q300 316 446 290", p.detail, 9),
            line("M392 306V366", p.dark, 3),
            ellipse(392, 372, 7, 8, p.detail),
        ]
    )


def notebook(p: Palette) -> str:
    cover = group(
        [
            rect(192, 130, 244, 346, p.pale, 8),
            line("M428 146V462M420 146V462", p.shadow, 2, 'opacity="0.35"'),
            rect(176, 124, 240, 350, p.main, 14),
            path("M190 124H218V474H190A14 14 0 0 1 176 460V138A14 14 0 0 1 190 124z", p.shade),
            rect(250, 190, 132, 92, p.pale, 8),
            line("M272 222H360M272 248H330", p.shadow, 5, 'opacity="0.6"'),
            rect(384, 124, 13, 350, p.detail),
            path("M300 474H322V520L311 506 300 520z", p.detail),
        ],
        'transform="rotate(-7 300 300)"',
    )
    pencil = group(
        [
            rect(0, 0, 22, 230, "hsl(42 76% 60%)"),
            rect(14, 0, 8, 230, "hsl(36 70% 48%)"),
            rect(0, -26, 22, 28, p.detail, 6),
            path("M0 230H22L11 268z", "hsl(34 52% 80%)"),
            path("M7 254H15L11 268z", p.dark),
        ],
        'transform="translate(478 214) rotate(12)"',
    )
    return ground_shadow(p, 300, 488, 170) + cover + pencil


def scarf(p: Palette) -> str:
    return group(
        [
            line("M300 90V138", WOOD_DARK, 20),
            ellipse(300, 88, 22, 22, WOOD),
            path("M262 132C340 116 392 150 396 214L412 452H310L300 190z", p.shade),
            *(line(f"M{316 + step * 15} 454l3 34", p.shade, 6) for step in range(7)),
            path("M312 378L407 376 410 412 313 414z", p.pale, 'opacity="0.85"'),
            path("M204 214C204 120 356 108 366 160 372 196 310 190 306 236L296 486H184z", p.main),
            path(
                "M366 160C372 196 310 190 306 236L300 390C282 300 276 224 300 192 322 168 350 172 366 160z",
                p.light,
                'opacity="0.5"',
            ),
            path("M190 396H300L298 432H188z", p.pale),
            path("M189 444H298L297 456H188z", p.detail),
            *(line(f"M{190 + step * 17} 488l-2 38", p.main, 6) for step in range(7)),
            line("M226 230Q222 310 218 380", p.shade, 4, 'opacity="0.5"'),
            line("M262 220Q256 310 256 380", p.shade, 4, 'opacity="0.5"'),
        ],
        'transform="translate(26 -14) scale(0.91)"',
    )


def weave(p: Palette) -> str:
    strips = []
    for row in range(6):
        y, inset = 318 + row * 28, row * 7
        width = (320 - 2 * inset) / 8
        for column in range(8):
            fill = WOOD if (row + column) % 2 else "hsl(32 42% 66%)"
            strips.append(rect(140 + inset + column * width, y, width - 3, 25, fill, 9))
    return "".join(strips)


def basket(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 300, 484, 165),
            line("M176 306C176 104 424 104 424 306", WOOD_DARK, 20),
            line("M176 306C176 104 424 104 424 306", WOOD, 9),
            path("M134 306H466L424 472Q420 490 402 490H198Q180 490 176 472z", WOOD_DARK),
            weave(p),
            path("M164 300C190 262 236 286 268 268S340 250 370 274 430 274 440 300z", p.pale),
            path("M206 296H352L338 388Q330 372 312 398 300 372 280 404 262 372 244 392 232 372 218 384z", p.main),
            path("M209 318H349L346 336H212z", p.pale, 'opacity="0.8"'),
            rect(124, 290, 352, 30, WOOD_DARK, 15),
            rect(206, 290, 146, 30, p.main),
            line("M140 300H200M358 300H460", WOOD, 6),
        ]
    )


def plant_pot(p: Palette) -> str:
    turns = [(-62, 0.86), (60, 0.9), (-38, 1.1), (36, 1.14), (-14, 1.3), (16, 1.24)]
    leaves = [
        leaf(300, 342, turn, size, (LEAF, LEAF_DARK, LEAF_LIGHT)[index % 3], (LEAF_DARK, LEAF, LEAF)[index % 3])
        for index, (turn, size) in enumerate(turns)
    ]
    return "".join(
        [
            ground_shadow(p, 300, 486, 125),
            *leaves,
            path("M208 352H392L368 474Q364 490 348 490H252Q236 490 232 474z", p.main),
            path("M340 352H392L368 474Q364 490 348 490H318z", p.shade, 'opacity="0.55"'),
            rect(194, 328, 212, 44, p.light, 10),
            path("M346 328H396A10 10 0 0 1 406 338V362A10 10 0 0 1 396 372H340z", p.main, 'opacity="0.7"'),
            path("M222 412L376 412 374 424H224z", p.pale, 'opacity="0.8"'),
        ]
    )


def candle(p: Palette) -> str:
    def one(x: float, top: float, wide: float) -> str:
        return "".join(
            [
                ellipse(x, top - 46, 62, 66, "hsl(46 98% 82%)", 'opacity="0.6"'),
                rect(x - wide / 2, top, wide, 440 - top, p.pale),
                rect(x + wide * 0.18, top, wide * 0.32, 440 - top, p.light, 0, 'opacity="0.45"'),
                ellipse(x, top, wide / 2, wide * 0.13, "#fffdf6"),
                line(f"M{x:g} {top:g}v-18", p.dark, 4),
                path(f"M{x:g} {top - 82:g}c22 32 24 46 0 72-24-26-22-40 0-72z", "hsl(40 96% 60%)"),
                path(f"M{x:g} {top - 50:g}c10 16 10 24 0 38-10-14-10-22 0-38z", "hsl(50 100% 84%)"),
            ]
        )

    return "".join(
        [
            ground_shadow(p, 300, 484, 180),
            one(232, 214, 80),
            one(338, 300, 96),
            line("M454 446C506 424 516 486 442 474", p.shade, 16),
            ellipse(296, 440, 176, 28, p.light),
            ellipse(296, 438, 150, 19, p.shade),
            rect(192, 400, 80, 38, p.pale),
            rect(290, 400, 96, 40, p.pale),
            rect(246, 400, 26, 38, p.light, 0, 'opacity="0.45"'),
            rect(355, 400, 31, 40, p.light, 0, 'opacity="0.45"'),
            path("M120 440A176 28 0 0 0 472 440C464 474 424 492 380 492H212C168 492 128 474 120 440z", p.main),
            path(
                "M400 464C440 460 466 450 472 440 464 474 424 492 380 492H340C376 488 394 478 400 464z",
                p.shade,
                'opacity="0.6"',
            ),
        ]
    )


def clock(p: Palette) -> str:
    ticks = []
    for hour in range(12):
        x, y = sin(radians(hour * 30)), -cos(radians(hour * 30))
        inner = 100 if hour % 3 else 92
        ticks.append(
            line(
                f"M{300 + inner * x:.1f} {290 + inner * y:.1f}L{300 + 112 * x:.1f} {290 + 112 * y:.1f}",
                p.dark,
                4 if hour % 3 else 8,
            )
        )
    return "".join(
        [
            ground_shadow(p, 300, 484, 140),
            line("M216 412L188 480", WOOD_DARK, 20),
            line("M384 412L412 480", WOOD_DARK, 20),
            line("M300 142V108", p.shade, 14),
            f'<circle cx="300" cy="98" r="20" fill="none" stroke="{p.shade}" stroke-width="11"/>',
            ellipse(300, 290, 164, 164, p.main),
            path("M392 154A164 164 0 0 1 208 426 164 164 0 0 0 392 154z", p.shade, 'opacity="0.55"'),
            ellipse(300, 290, 130, 130, "#fffdf8"),
            *ticks,
            line("M300 290L252 236", p.dark, 11),
            line("M300 290L356 226", p.dark, 7),
            line("M300 290L318 366", p.detail, 4),
            ellipse(300, 290, 11, 11, p.detail),
        ]
    )


def chair(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 300, 520, 170),
            line("M226 330L222 470", WOOD_DARK, 18),
            line("M374 330L378 470", WOOD_DARK, 18),
            line("M214 110L226 340", WOOD, 20),
            line("M386 110L374 340", WOOD, 20),
            path("M206 104C260 84 340 84 394 104L391 158C340 142 260 142 209 158z", p.main),
            path("M216 190C264 176 336 176 384 190L382 222C336 210 264 210 218 222z", p.main),
            path("M220 250C264 238 336 238 380 250L379 276C336 266 264 266 222 276z", p.main),
            line("M188 440H412", WOOD_DARK, 12),
            line("M190 386L178 524", WOOD, 22),
            line("M410 386L422 524", WOOD, 22),
            path("M206 326H394L438 378Q440 404 420 404H180Q160 404 162 378z", p.shade),
            path(
                "M206 322H394Q404 322 410 330L436 366Q444 384 424 384H176Q156 384 164 366L190 330Q196 322 206 322z",
                p.main,
            ),
            path("M222 332H360L376 352H206z", p.light, 'opacity="0.7"'),
        ]
    )


def tea_tin(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 296, 484, 140),
            path("M186 216H406V456A110 26 0 0 1 186 456z", p.main),
            path("M346 216H406V456Q400 472 346 480z", p.shade, 'opacity="0.6"'),
            path("M186 258Q296 290 406 258V412Q296 444 186 412z", p.pale),
            line("M186 270Q296 302 406 270M186 400Q296 432 406 400", p.detail, 5),
            leaf(296, 408, 0, 0.52, LEAF, LEAF_DARK),
            leaf(292, 408, -52, 0.4, LEAF_LIGHT, LEAF),
            leaf(300, 408, 52, 0.4, LEAF_LIGHT, LEAF),
            path("M178 164H414V216A118 26 0 0 1 178 216z", p.shade),
            path("M346 164H414V216Q404 230 346 240z", p.dark, 'opacity="0.25"'),
            ellipse(296, 164, 118, 27, p.light),
            ellipse(296, 160, 88, 17, p.main),
            ellipse(296, 148, 24, 12, p.detail),
        ]
    )


def blanket(p: Palette) -> str:
    def fold(y: float, left: float, right: float, cloth: str, stripe: str) -> str:
        wide = right - left
        return "".join(
            [
                rect(left, y, wide, 62, cloth, 31),
                line(f"M{left + 34:g} {y + 31:g}H{right - 12:g}", p.dark, 4, 'opacity="0.22"'),
                *(rect(left + wide * at, y, 16, 62, stripe) for at in (0.2, 0.26, 0.7)),
                *(line(f"M{right - 10:g} {y + 12 + step * 9:g}h22", cloth, 5) for step in range(5)),
            ]
        )

    return "".join(
        [
            ground_shadow(p, 300, 486, 195),
            fold(424, 118, 462, p.shade, p.light),
            fold(364, 128, 456, p.main, p.pale),
            fold(304, 122, 464, p.pale, p.detail),
            fold(244, 136, 452, p.light, p.pale),
            leaf(250, 250, -74, 0.62, LEAF, LEAF_DARK),
            leaf(246, 246, -42, 0.5, LEAF_LIGHT, LEAF),
            line("M246 246L330 238", LEAF_DARK, 6),
            leaf(300, 240, 38, 0.46, LEAF, LEAF_DARK),
            leaf(328, 238, 84, 0.5, LEAF_LIGHT, LEAF),
        ]
    )


def teapot(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 296, 486, 160),
            line("M414 292C500 276 500 404 408 412", p.shade, 22),
            path("M188 330C146 316 140 268 104 244L126 228C176 248 188 286 206 300z", p.shade),
            path("M176 352C176 268 226 234 300 234S424 268 424 352C424 428 392 486 300 486S176 428 176 352z", p.main),
            path(
                "M350 242C398 258 424 296 424 352 424 428 392 486 300 486 372 470 396 420 392 352 390 300 376 262 350 242z",
                p.shade,
                'opacity="0.55"',
            ),
            path("M178 372Q300 420 422 372V392Q300 440 182 396z", p.pale),
            ellipse(300, 240, 78, 20, p.light),
            path("M230 236C236 204 364 204 370 236Q300 256 230 236z", p.main),
            ellipse(300, 200, 18, 16, p.detail),
            line("M96 214C82 190 110 176 96 150", "#fff", 8, 'opacity="0.55"'),
            ellipse(236, 320, 16, 40, "#fff", 'opacity="0.22" transform="rotate(16 236 320)"'),
        ]
    )


def vase(p: Palette) -> str:
    def flower(x: float, y: float, size: float, fill: str) -> str:
        petals = [ellipse(0, -26, 15, 25, fill, f'transform="rotate({turn})"') for turn in range(0, 360, 60)]
        return group([*petals, ellipse(0, 0, 14, 14, "hsl(44 84% 60%)")], f'transform="translate({x:g} {y:g}) scale({size:g})"')

    return "".join(
        [
            ground_shadow(p, 300, 488, 110),
            line("M300 300Q290 210 250 150M300 300Q312 200 352 128M300 300Q330 240 390 214M300 300Q270 250 214 236", LEAF_DARK, 6),
            leaf(288, 288, -52, 0.42, LEAF, LEAF_DARK),
            leaf(312, 286, 40, 0.46, LEAF_LIGHT, LEAF),
            flower(250, 146, 1.05, p.detail),
            flower(354, 124, 1.2, p.pale),
            flower(394, 212, 0.9, p.detail),
            flower(210, 234, 0.85, p.pale),
            path("M258 282H342C336 322 396 352 396 418 396 466 360 490 300 490S204 466 204 418C204 352 264 322 258 282z", p.main),
            path(
                "M330 282H342C336 322 396 352 396 418 396 466 360 490 300 490 350 474 364 446 362 414 358 356 322 330 330 282z",
                p.shade,
                'opacity="0.55"',
            ),
            ellipse(300, 282, 42, 11, p.light),
            ellipse(300, 284, 33, 7, p.dark),
            line("M214 396Q300 424 386 396", p.pale, 7),
        ]
    )


def book(p: Palette) -> str:
    def volume(y: float, left: float, right: float, cloth: str, spine: str) -> str:
        return "".join(
            [
                rect(left, y, right - left, 60, cloth, 10),
                path(
                    f"M{left + 26:g} {y + 8:g}H{right + 2:g}V{y + 52:g}H{left + 26:g}Q{left + 14:g} {y + 30:g} {left + 26:g} {y + 8:g}z",
                    "#fbf6ea",
                ),
                line(f"M{left + 30:g} {y + 22:g}H{right:g}M{left + 30:g} {y + 38:g}H{right:g}", p.shadow, 2, 'opacity="0.3"'),
                rect(left, y, right - left + 6, 9, cloth, 4),
                rect(left, y + 51, right - left + 6, 9, spine, 4),
            ]
        )

    return "".join(
        [
            ground_shadow(p, 300, 488, 190),
            volume(428, 128, 470, p.main, p.shade),
            volume(368, 152, 454, p.detail, p.dark),
            volume(308, 138, 440, p.light, p.main),
            group(
                [
                    path("M0 60C-60 20-130 20-176 44V-96C-130-120-60-118 0-80z", "#fffdf6"),
                    path("M0 60C60 20 130 20 176 44V-96C130-120 60-118 0-80z", "#f6efdd"),
                    path("M-176 44C-130 20-60 20 0 60 60 20 130 20 176 44V58C130 34 60 36 0 76-60 36-130 34-176 58z", p.shade),
                    *(
                        line(f"M-146 {-66 + row * 24}Q-80 {-84 + row * 24}-26 {-54 + row * 24}", p.shadow, 4, 'opacity="0.35"')
                        for row in range(4)
                    ),
                    *(
                        line(f"M26 {-54 + row * 24}Q80 {-84 + row * 24} 146 {-66 + row * 24}", p.shadow, 4, 'opacity="0.35"')
                        for row in range(4)
                    ),
                    line("M0-80V66", p.shadow, 3, 'opacity="0.4"'),
                    path("M40-98H58V-10L49-24 40-10z", p.detail),
                ],
                'transform="translate(296 244)"',
            ),
        ]
    )


def pan(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 260, 488, 190),
            line("M414 380L540 330", p.dark, 26),
            line("M420 378L536 332", "hsl(20 10% 38%)", 8),
            ellipse(258, 372, 178, 62, p.shade),
            path("M80 372A178 62 0 0 0 436 372C436 440 398 492 258 492S80 440 80 372z", p.main),
            path("M370 418C410 408 436 392 436 372 436 440 398 492 258 492 330 486 366 458 370 418z", p.shade, 'opacity="0.6"'),
            ellipse(258, 374, 156, 48, p.dark),
            ellipse(258, 380, 140, 40, "hsl(24 12% 28%)"),
            path("M182 372C184 346 240 340 262 354 300 340 344 360 334 384 330 406 280 402 262 408 226 414 178 400 182 372z", "#fffdf4"),
            ellipse(262, 376, 34, 18, "hsl(42 92% 58%)"),
            ellipse(252, 370, 12, 6, "#fff", 'opacity="0.5"'),
            line(
                "M200 300C182 276 216 260 198 230M262 296C244 268 282 250 262 216M322 302C306 280 338 264 322 236",
                "#fff",
                8,
                'opacity="0.55"',
            ),
        ]
    )


def board(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 300, 490, 190),
            path("M108 438L176 330H462L520 438V466Q520 478 506 478H122Q108 478 108 466z", WOOD_DARK),
            path("M176 326H462L518 430Q522 446 504 446H124Q106 446 110 430z", WOOD),
            line("M186 352H446M168 386H470M146 420H490", WOOD_DARK, 3, 'opacity="0.45"'),
            path("M180 398C170 330 226 272 306 272S436 326 432 386C430 408 182 414 180 398z", "hsl(30 58% 46%)"),
            path("M190 386C196 332 240 290 306 290S420 330 422 378C380 392 240 402 190 386z", "hsl(34 62% 58%)"),
            line("M252 312L236 366M300 302L294 372M350 306L358 368", "hsl(40 70% 76%)", 10),
            line("M452 420L536 352", p.dark, 16),
            path("M452 424L330 462Q318 450 330 440L446 404z", "hsl(210 12% 80%)"),
            ellipse(150, 330, 30, 30, p.main),
            ellipse(198, 306, 26, 26, p.detail),
            line("M150 300Q152 288 162 282", LEAF_DARK, 5),
        ]
    )


def jar(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 300, 488, 130),
            path(
                "M196 250C196 226 214 214 240 212H360C386 214 404 226 404 250V448C404 474 388 490 360 490H240C212 490 196 474 196 448z",
                "hsl(36 86% 56%)",
            ),
            path(
                "M356 212H360C386 214 404 226 404 250V448C404 474 388 490 360 490H330C364 470 372 440 372 400V270C372 240 366 222 356 212z",
                "hsl(28 78% 44%)",
                'opacity="0.6"',
            ),
            rect(216, 240, 22, 220, "#fff", 11, 'opacity="0.35"'),
            rect(212, 304, 176, 116, p.pale, 10),
            rect(222, 314, 156, 96, p.main, 6),
            line("M246 346H354M264 378H336", p.pale, 9),
            path("M196 150C230 132 370 132 404 150L424 222C380 206 220 206 176 222z", p.detail),
            path("M214 176Q300 156 386 176M204 202Q300 180 396 202", "none", f'stroke="{p.pale}" stroke-width="6"'),
            line("M206 214Q300 196 394 214", p.dark, 7),
            line("M394 214L430 250M394 214L440 224", p.dark, 6),
        ]
    )


def soap(p: Palette) -> str:
    def bar(x: float, y: float, cloth: str, side: str) -> str:
        return "".join(
            [
                path(f"M{x:g} {y:g}h190q22 0 22 22v42q0 22-22 22h-190q-22 0-22-22v-42q0-22 22-22z", side),
                path(f"M{x:g} {y:g}h190q22 0 22 22v20q0 22-22 22h-190q-22 0-22-22v-20q0-22 22-22z", cloth),
                line(f"M{x + 40:g} {y + 32:g}h110", side, 8),
            ]
        )

    bubbles = [
        (176, 236, 30),
        (226, 196, 20),
        (140, 292, 18),
        (430, 250, 34),
        (472, 310, 20),
        (398, 196, 15),
        (300, 150, 24),
        (340, 104, 12),
    ]
    return "".join(
        [
            ground_shadow(p, 300, 490, 190),
            path("M116 452H484L466 480Q462 490 448 490H152Q138 490 134 480z", WOOD_DARK),
            rect(104, 436, 392, 24, WOOD, 12),
            bar(168, 352, p.main, p.shade),
            bar(250, 280, p.pale, p.light),
            *(ellipse(x, y, size, size, "#fff", 'opacity="0.5"') for x, y, size in bubbles),
            *(ellipse(x - size / 3, y - size / 3, size / 4, size / 4, "#fff") for x, y, size in bubbles),
            leaf(438, 404, 62, 0.5, LEAF, LEAF_DARK),
            leaf(444, 402, 24, 0.38, LEAF_LIGHT, LEAF),
        ]
    )


def cushion(p: Palette) -> str:
    def one(x: float, y: float, turn: float, cloth: str, shade: str, stripe: str) -> str:
        return group(
            [
                path(
                    "M-130-120Q0-96 130-120 152-124 148-100 124 0 148 100 152 124 130 120"
                    " 0 96-130 120-152 124-148 100-124 0-148-100-152-124-130-120z",
                    cloth,
                ),
                path(
                    "M60-112Q100-114 130-120 152-124 148-100 124 0 148 100 152 124 130 120 100 112 60 108 110 0 60-112z",
                    shade,
                    'opacity="0.5"',
                ),
                line("M-118-58Q0-38 118-58M-110 0H110M-118 58Q0 38 118 58", stripe, 10),
                line("M-96-104Q0-84 70-98", "#fff", 5, 'opacity="0.3"'),
            ],
            f'transform="translate({x:g} {y:g}) rotate({turn:g})"',
        )

    return ground_shadow(p, 296, 490, 190) + one(348, 300, 14, p.detail, p.dark, p.pale) + one(254, 350, -9, p.main, p.shade, p.pale)


def bag(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 300, 490, 150),
            line("M232 262C232 110 368 110 368 262", p.shade, 16),
            path("M240 210C262 150 300 176 306 214 330 150 386 170 372 236L356 280H250z", LEAF),
            path("M290 260C280 196 318 160 350 190L340 280z", LEAF_LIGHT),
            path("M168 248H432L452 462Q454 490 426 490H174Q146 490 148 462z", p.main),
            path("M380 248H432L452 462Q454 490 426 490H372Q400 380 380 248z", p.shade, 'opacity="0.5"'),
            path("M168 248H432L434 274H166z", p.light),
            line("M250 276C250 120 350 120 350 276", p.pale, 16),
            rect(236, 276, 28, 34, p.pale, 6),
            rect(336, 276, 28, 34, p.pale, 6),
            leaf(300, 440, 0, 0.52, p.pale, p.main),
            leaf(296, 442, -50, 0.38, p.pale, p.main),
            leaf(304, 442, 50, 0.38, p.pale, p.main),
        ]
    )


def blocks(p: Palette) -> str:
    def cube(x: float, y: float, front: str, side: str, top: str) -> str:
        return "".join(
            [
                rect(x, y, 112, 112, front, 10),
                path(f"M{x + 6:g} {y + 2:g}l26-28h112l-28 28z", top),
                path(f"M{x + 112:g} {y + 4:g}l30-28v108l-30 26z", side),
            ]
        )

    return "".join(
        [
            ground_shadow(p, 300, 490, 190),
            cube(112, 374, p.main, p.shade, p.light),
            cube(262, 374, WOOD, WOOD_DARK, "hsl(32 42% 68%)"),
            cube(186, 258, p.pale, p.light, "#fffdf6"),
            ellipse(168, 430, 28, 28, p.pale),
            path("M318 400l34 62h-68z", p.pale),
            path("M242 284l11 24 26 3-19 18 5 26-23-13-23 13 5-26-19-18 26-3z", p.detail),
            path("M420 486V438Q420 380 472 380T524 438V486H496V440Q496 410 472 410T448 440V486z", p.detail),
            path("M204 230L258 146 312 230z", p.shade),
            path("M258 146L312 230H280z", p.dark, 'opacity="0.25"'),
        ]
    )


def umbrella(p: Palette) -> str:
    return group(
        [
            line("M300 150V452C300 500 366 500 366 452", WOOD_DARK, 15),
            path(
                "M80 300C92 172 188 96 300 96S508 172 520 300C496 268 448 268 416 300 388"
                " 264 332 264 300 300 268 264 212 264 184 300 152 268 104 268 80 300z",
                p.main,
            ),
            path("M300 96C256 140 200 210 184 300 212 264 268 264 300 300 332 264 388 264 416 300 400 210 344 140 300 96z", p.light),
            path("M300 96C412 96 508 172 520 300 496 268 448 268 416 300 400 210 344 140 300 96z", p.shade, 'opacity="0.55"'),
            line("M300 96V66", p.dark, 10),
            line("M136 420L122 448M470 396L456 424M196 484L184 508M442 486L430 510M230 380L220 402", "hsl(204 46% 66%)", 9),
        ],
        'transform="translate(8 8) rotate(6 300 300)"',
    )


def glass(p: Palette) -> str:
    def one(x: float, top: float, fill: str, level: float) -> str:
        return "".join(
            [
                path(
                    f"M{x - 66:g} {top:g}H{x + 66:g}L{x + 52:g} 476Q{x + 50:g} 488"
                    f" {x + 36:g} 488H{x - 36:g}Q{x - 50:g} 488 {x - 52:g} 476z",
                    "#fff",
                    'opacity="0.55"',
                ),
                path(
                    f"M{x - 61:g} {level:g}H{x + 61:g}L{x + 49:g} 468Q{x + 48:g} 480"
                    f" {x + 34:g} 480H{x - 34:g}Q{x - 48:g} 480 {x - 49:g} 468z",
                    fill,
                    'opacity="0.8"',
                ),
                ellipse(x, level, 61, 12, p.pale, 'opacity="0.8"'),
                f'<ellipse cx="{x:g}" cy="{top:g}" rx="66" ry="14" fill="none" stroke="#fff" stroke-width="5"/>',
                line(f"M{x - 44:g} {top + 40:g}L{x - 36:g} 450", "#fff", 9, 'opacity="0.7"'),
            ]
        )

    return "".join(
        [
            ground_shadow(p, 300, 488, 190),
            one(214, 250, p.light, 316),
            one(388, 214, p.detail, 290),
            line("M420 150L372 300", LEAF_DARK, 6),
            ellipse(330, 462, 40, 40, "hsl(48 88% 60%)"),
            ellipse(330, 462, 32, 32, "hsl(52 92% 76%)"),
            line("M330 432V492M300 462H360M309 441L351 483M351 441L309 483", "hsl(48 88% 60%)", 4),
        ]
    )


def brush(p: Palette) -> str:
    return "".join(
        [
            ground_shadow(p, 300, 490, 180),
            group(
                [
                    *(
                        line(f"M{-118 + step * 14} 30l{(step % 3 - 1) * 3} 66", "hsl(40 46% 78%)" if step % 2 else "hsl(34 36% 62%)", 10)
                        for step in range(18)
                    ),
                    path("M-140-10Q-140-34-112-34H112Q140-34 140-10V24Q140 40 122 40H-122Q-140 40-140 24z", WOOD),
                    path("M-140 14V24Q-140 40-122 40H122Q140 40 140 24V14Q0 34-140 14z", WOOD_DARK),
                    path("M100-34C150-60 200-120 246-176Q270-196 284-178 296-160 276-140C230-90 190-40 140-8z", WOOD),
                    line("M136-30Q210-90 262-160", "hsl(32 42% 70%)", 6),
                    rect(-60, -26, 120, 14, p.main, 7),
                ],
                'transform="translate(240 372) rotate(-4)"',
            ),
            path("M404 420H500L490 476Q488 490 474 490H430Q416 490 414 476z", p.main),
            path("M466 420H500L490 476Q488 490 474 490H452Q470 456 466 420z", p.shade, 'opacity="0.6"'),
            ellipse(452, 420, 48, 13, p.light),
            ellipse(452, 422, 38, 8, p.pale),
        ]
    )


KINDS: dict[str, Callable[[Palette], str]] = {
    "mug": mug,
    "bowl": bowl,
    "lamp": lamp,
    "notebook": notebook,
    "scarf": scarf,
    "basket": basket,
    "plant pot": plant_pot,
    "candle": candle,
    "clock": clock,
    "chair": chair,
    "tea tin": tea_tin,
    "blanket": blanket,
    "teapot": teapot,
    "vase": vase,
    "book": book,
    "pan": pan,
    "board": board,
    "jar": jar,
    "soap": soap,
    "cushion": cushion,
    "bag": bag,
    "blocks": blocks,
    "umbrella": umbrella,
    "glass": glass,
    "brush": brush,
}

WITHOUT_COMPANY = frozenset(
    {"scarf", "chair", "notebook", "bowl", "candle", "board", "soap", "brush", "blocks", "umbrella", "book", "bag", "cushion"}
)


def lemon(p: Palette, x: float) -> str:
    return "".join(
        [
            ellipse(x + 12, 528, 44, 9, p.shadow, 'opacity="0.3"'),
            path(f"M{x - 46:g} 500c14-34 70-40 88-10 16 4 16 16 4 20-16 30-76 28-92-10z", "hsl(48 84% 62%)"),
            ellipse(x - 12, 488, 14, 7, "#fff", 'opacity="0.4"'),
        ]
    )


def pear(p: Palette, x: float) -> str:
    return "".join(
        [
            ellipse(x + 14, 526, 44, 9, p.shadow, 'opacity="0.3"'),
            line(f"M{x:g} 426q2-14 12-20", WOOD_DARK, 6),
            path(f"M{x:g} 424c22 0 20 26 26 44 26 30 8 60-26 60s-52-30-26-60c6-18 4-44 26-44z", "hsl(76 42% 58%)"),
            ellipse(x - 14, 490, 9, 16, "#fff", 'opacity="0.35"'),
        ]
    )


def pebbles(p: Palette, x: float) -> str:
    return "".join(
        [
            ellipse(x + 10, 526, 56, 9, p.shadow, 'opacity="0.3"'),
            ellipse(x, 508, 46, 20, p.tone(40, 12, 62)),
            ellipse(x + 4, 484, 32, 15, p.tone(30, 14, 80)),
        ]
    )


def room(p: Palette, leaning: int) -> str:
    slant = 60 + leaning * 14
    return "".join(
        [
            rect(0, 0, 600, 600, p.wall),
            path(f"M{slant} 0H{slant + 190}L{slant + 50} 408H{slant - 140}z", p.sunlight, 'opacity="0.75"'),
            path(f"M{slant + 220} 0H{slant + 300}L{slant + 160} 408H{slant + 80}z", p.sunlight, 'opacity="0.75"'),
            rect(0, 408, 600, 192, p.table),
            rect(0, 408, 600, 7, p.shadow, 0, 'opacity="0.14"'),
        ]
    )


def picture_svg(slug: str, kind: str, hue_seed: int) -> str:
    """The picture of a product as an SVG document of 600 by 600: the same text for the same arguments.

    `kind` is one of KINDS, `hue_seed` any whole number (a hue in degrees); `slug` varies the light and
    what stands beside the object. Colors are attributes, without styles, ids or references, so that the
    picture passes the strictest content policy both in the page and as a file. It is hidden from screen
    readers: its meaning belongs in the words or the `alt` beside it. Raises KeyError for an unknown kind.
    """
    palette = Palette(hue_seed % 360)
    chance = crc32(slug.encode())
    company = "" if kind in WITHOUT_COMPANY else (lemon, pear, pebbles)[chance % 3](palette, 494)
    drawing = room(palette, chance // 3 % 8) + KINDS[kind](palette) + company
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600" width="600" height="600"'
        f' aria-hidden="true" focusable="false">{drawing}</svg>'
    )
