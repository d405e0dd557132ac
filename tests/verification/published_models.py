"""Published models, their equations written out from the papers, and three problems of the solvers' test sets.

Each entry: Antimony text, how long to follow it, and the source. Units are the paper's; the engine counts hours, so
the numbers of the paper's unit of time are taken as they are. The first three have published end values (Mazzia and
Magherini 2008, Test Set for Initial Value Problem Solvers, release 2.4).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A model, the time to which it is followed, and where it comes from."""

    text: str
    until: float
    source: str
    end: tuple[float, ...] = ()


ROBERTSON = Published(
    """model robertson
  k1 = 0.04; k2 = 3e7; k3 = 1e4
  a = 1; b = 0; c = 0
  a' = -k1*a + k3*b*c
  b' = k1*a - k3*b*c - k2*b*b
  c' = k2*b*b
end""",
    1e11,
    "Robertson 1966, in Numerical Analysis: An Introduction, 178-182",
    (0.2083340149701255e-07, 0.8333360770334713e-13, 0.9999999791665050),
)

HIRES = Published(
    """model hires
  y1 = 1; y2 = 0; y3 = 0; y4 = 0; y5 = 0; y6 = 0; y7 = 0; y8 = 0.0057
  y1' = -1.71*y1 + 0.43*y2 + 8.32*y3 + 0.0007
  y2' = 1.71*y1 - 8.75*y2
  y3' = -10.03*y3 + 0.43*y4 + 0.035*y5
  y4' = 8.32*y2 + 1.71*y3 - 1.12*y4
  y5' = -1.745*y5 + 0.43*y6 + 0.43*y7
  y6' = -280*y6*y8 + 0.69*y4 + 1.71*y5 - 0.43*y6 + 0.69*y7
  y7' = 280*y6*y8 - 1.81*y7
  y8' = -280*y6*y8 + 1.81*y7
end""",
    321.8122,
    "Schaefer 1975, doi:10.1007/BF00276015",
    (
        0.7371312573325668e-3,
        0.1442485726316185e-3,
        0.5888729740967575e-4,
        0.1175651343283149e-2,
        0.2386356198831331e-2,
        0.6238968252742796e-2,
        0.2849998395185769e-2,
        0.2850001604814231e-2,
    ),
)

OREGONATOR = Published(
    """model oregonator
  s = 77.27; q = 8.375e-6; w = 0.161
  x = 1; y = 2; z = 3
  x' = s*(y + x*(1 - q*x - y))
  y' = (z - (1 + x)*y)/s
  z' = w*(x - z)
end""",
    360.0,
    "Field and Noyes 1974, doi:10.1063/1.1681288",
    (0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3),
)

REPRESSILATOR = Published(
    """model repressilator
  alpha = 216; leak = 0.216; beta = 5; n = 2
  m1 = 0; m2 = 0; m3 = 0; p1 = 1; p2 = 2; p3 = 3
  m1' = -m1 + alpha/(1 + p3^n) + leak
  m2' = -m2 + alpha/(1 + p1^n) + leak
  m3' = -m3 + alpha/(1 + p2^n) + leak
  p1' = -beta*(p1 - m1)
  p2' = -beta*(p2 - m2)
  p3' = -beta*(p3 - m3)
end""",
    40.0,
    "Elowitz and Leibler 2000, doi:10.1038/35002125, box 1",
)

PERIOD = Published(
    """model per_oscillation
  vs = 0.76; vm = 0.65; Km = 0.5; ks = 0.38; vd = 0.95; k1 = 1.9; k2 = 1.3; KI = 1; Kd = 0.2; n = 4
  K1 = 2; K2 = 2; K3 = 2; K4 = 2; V1 = 3.2; V2 = 1.58; V3 = 5; V4 = 2.5
  M = 0.1; P0 = 0.25; P1 = 0.25; P2 = 0.25; PN = 0.25
  M' = vs*KI^n/(KI^n + PN^n) - vm*M/(Km + M)
  P0' = ks*M - V1*P0/(K1 + P0) + V2*P1/(K2 + P1)
  P1' = V1*P0/(K1 + P0) - V2*P1/(K2 + P1) - V3*P1/(K3 + P1) + V4*P2/(K4 + P2)
  P2' = V3*P1/(K3 + P1) - V4*P2/(K4 + P2) - k1*P2 + k2*PN - vd*P2/(Kd + P2)
  PN' = k1*P2 - k2*PN
end""",
    96.0,
    "Goldbeter 1995, doi:10.1098/rspb.1995.0153, equations 1",
)

CELL_CYCLE = Published(
    """model cell_cycle
  k1 = 0.015; k3 = 200; k4 = 180; k4p = 0.018; k6 = 1; k7 = 0.6; k8 = 1e6; k9 = 1e3
  C2 = 0; CP = 0.75; pM = 0.25; M = 0; Y = 0; YP = 0
  CT := C2 + CP + pM + M
  F := k4p + k4*(M/CT)^2
  C2' = k6*M - k8*C2 + k9*CP
  CP' = -k3*CP*Y + k8*C2 - k9*CP
  pM' = k3*CP*Y - pM*F
  M' = pM*F - k6*M
  Y' = k1 - k3*CP*Y
  YP' = k6*M - k7*YP
end""",
    60.0,
    "Tyson 1991, doi:10.1073/pnas.88.16.7328, tables 1 and 2",
)

MAPK_FEEDBACK = Published(
    """model mapk_feedback
  compartment cell = 1
  species KKK in cell = 90; species KKKp in cell = 10
  species KK in cell = 280; species KKp in cell = 10; species KKpp in cell = 10
  species K in cell = 280; species Kp in cell = 10; species Kpp in cell = 10
  V1 = 2.5; KI = 9; K1 = 10; V2 = 0.25; K2 = 8; k3 = 0.025; K3 = 15; k4 = 0.025; K4 = 15
  V5 = 0.75; K5 = 15; V6 = 0.75; K6 = 15; k7 = 0.025; K7 = 15; k8 = 0.025; K8 = 15
  V9 = 0.5; K9 = 15; V10 = 0.5; K10 = 15
  KKK -> KKKp; V1*KKK/((1 + Kpp/KI)*(K1 + KKK))
  KKKp -> KKK; V2*KKKp/(K2 + KKKp)
  KK -> KKp; k3*KKKp*KK/(K3 + KK)
  KKp -> KKpp; k4*KKKp*KKp/(K4 + KKp)
  KKpp -> KKp; V5*KKpp/(K5 + KKpp)
  KKp -> KK; V6*KKp/(K6 + KKp)
  K -> Kp; k7*KKpp*K/(K7 + K)
  Kp -> Kpp; k8*KKpp*Kp/(K8 + Kp)
  Kpp -> Kp; V9*Kpp/(K9 + Kpp)
  Kp -> K; V10*Kp/(K10 + Kp)
end""",
    4000.0,
    "Kholodenko 2000, doi:10.1046/j.1432-1327.2000.01197.x, table 2",
)

MEMBRANE = Published(
    """model membrane
  gNa = 120; gK = 36; gL = 0.3; ENa = 115; EK = -12; EL = 10.613; Cm = 1; I = 10
  v = 0; m = 0.05293; h = 0.59612; n = 0.31768
  am := 0.1*(25 - v)/(exp((25 - v)/10) - 1); bm := 4*exp(-v/18)
  ah := 0.07*exp(-v/20); bh := 1/(exp((30 - v)/10) + 1)
  an := 0.01*(10 - v)/(exp((10 - v)/10) - 1); bn := 0.125*exp(-v/80)
  v' = (I - gNa*m^3*h*(v - ENa) - gK*n^4*(v - EK) - gL*(v - EL))/Cm
  m' = am*(1 - m) - bm*m
  h' = ah*(1 - h) - bh*h
  n' = an*(1 - n) - bn*n
end""",
    30.0,
    "Hodgkin and Huxley 1952, doi:10.1113/jphysiol.1952.sp004764, with outward voltages counted from rest",
)

# Enzyme, substrate, product of the ten reactions, each binding, unbinding and turning over.
_CASCADE = (
    ("E1", "KKK", "KKKs"), ("E2", "KKKs", "KKK"), ("KKKs", "KK", "KKp"), ("KKa", "KKp", "KK"), ("KKKs", "KKp", "KKpp"),
    ("KKa", "KKpp", "KKp"), ("KKpp", "K", "Kp"), ("Ka", "Kp", "K"), ("KKpp", "Kp", "Kpp"), ("Ka", "Kpp", "Kp"),
)  # fmt: skip


def _cascade() -> str:
    start = {"E1": 3e-5, "E2": 3e-4, "KKK": 3e-3, "KK": 1.2, "K": 1.2, "KKa": 3e-4, "Ka": 0.12}
    names = dict.fromkeys(name for reaction in _CASCADE for name in reaction)
    lines = ["model mapk_cascade", "  compartment cell = 1", "  a = 1000; d = 150; k = 150"]
    lines += [f"  species {name} in cell = {start.get(name, 0)}" for name in names]
    for number, (enzyme, substrate, product) in enumerate(_CASCADE, start=1):
        lines.append(f"  species C{number} in cell = 0")
        lines.append(f"  {enzyme} + {substrate} -> C{number}; a*{enzyme}*{substrate} - d*C{number}")
        lines.append(f"  C{number} -> {enzyme} + {product}; k*C{number}")
    return "\n".join([*lines, "end"])


MAPK_CASCADE = Published(_cascade(), 100.0, "Huang and Ferrell 1996, doi:10.1073/pnas.93.19.10078, table 2")

PROBLEMS = {"robertson": ROBERTSON, "hires": HIRES, "oregonator": OREGONATOR}
MODELS = {
    "repressilator": REPRESSILATOR,
    "per-oscillation": PERIOD,
    "cell-cycle": CELL_CYCLE,
    "mapk-feedback": MAPK_FEEDBACK,
    "membrane": MEMBRANE,
    "mapk-cascade": MAPK_CASCADE,
}
