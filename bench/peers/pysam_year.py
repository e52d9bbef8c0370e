"""PySAM (module Pvwattsv8) as a contender: the PV year that pv_bench --case wrote.

    pysam_year.py CASE      a request is how often to simulate the year; only execute() is timed
"""
import json
import sys

from answer import answer_requests, decline, timed_years

try:
    import PySAM.Pvwattsv8 as pvwatts
except ImportError as error:
    decline(f"PySAM is not installed ({error})")

ROOF_MOUNT = 1
STANDARD_MODULE = 0


def prepared(case):
    """A module with weather and system set. Rows carry the instant of their irradiance, to the minute."""
    hours = case["hours"]

    def column(name):
        return [hour[name] for hour in hours]

    module = pvwatts.new()
    module.SolarResource.solar_resource_data = {
        "lat": case["latitude_deg"], "lon": case["longitude_deg"], "tz": case["utc_offset_h"],
        "elev": case["elevation_m"], "year": column("year"), "month": column("month"), "day": column("day"),
        "hour": column("hour"), "minute": [round(case["instant_offset_h"] * 60)] * len(hours),
        "gh": column("ghi_w_m2"), "dn": column("dni_w_m2"), "df": column("dhi_w_m2"), "tdry": column("ambient_c"),
        "wspd": column("wind_m_s"), "pres": column("pressure_hpa")}
    module.SystemDesign.assign({
        "system_capacity": case["dc_capacity_w"] / 1000, "tilt": case["tilt_deg"], "azimuth": case["azimuth_deg"],
        "array_type": ROOF_MOUNT, "module_type": STANDARD_MODULE, "losses": case["losses_percent"],
        "dc_ac_ratio": case["dc_ac_ratio"], "inv_eff": case["inverter_efficiency"] * 100})
    module.AdjustmentFactors.assign({"adjust_constant": 0})
    return module


def simulate(module, years):
    return timed_years(module.execute, years) | {"ac_annual_kwh": module.Outputs.ac_annual}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        module = prepared(json.load(file))
    import PySAM
    answer_requests(f"PySAM {PySAM.__version__} Pvwattsv8", lambda request: simulate(module, int(request)))


main()
