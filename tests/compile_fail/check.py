"""Compiles snippets against base/quantity.h: those marked False must be refused by the compiler."""
import subprocess
import sys

compiler, include = sys.argv[1:]
SNIPPETS = [
    ("watts times hours is energy", "Energy e = Watts(300) * Hours(2); (void)e;", True),
    ("energy times price is money", "Money m = KilowattHours(1) * EurosPerKilowattHour(0.2); (void)m;", True),
    ("a ratio of powers is a number", "double r = Watts(3) / Watts(2); (void)r;", True),
    ("watts do not add to joules", "auto x = Watts(1) + Joules(1); (void)x;", False),
    ("watts do not compare with joules", "bool b = Watts(1) < Joules(1); (void)b;", False),
    ("no double becomes a power", "Power p = 300.0; (void)p;", False),
    ("no power becomes a double", "double d = Watts(300); (void)d;", False),
    ("power times power is no energy", "Energy e = Watts(1) * Watts(1); (void)e;", False),
]
failures = 0
for name, body, compiles in SNIPPETS:
    code = f'#include "heliograd/base/quantity.h"\nusing namespace heliograd;\nint main() {{ {body} }}\n'
    done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-I", include, "-x", "c++", "-"],
                          input=code, text=True, capture_output=True)
    if (done.returncode == 0) != compiles:
        failures += 1
        print(f"FAILED: {name}: expected it {'to compile' if compiles else 'to be refused'}\n{done.stderr}")
print(f"{len(SNIPPETS) - failures} passed, {failures} failed")
sys.exit(failures != 0)
