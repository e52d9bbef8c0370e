"""pvlib (ModelChain.with_pvwatts, the PVWatts V5 equations) as a contender: the PV year that pv_bench --case wrote.

    pvlib_year.py CASE      a request is how often to simulate the year; only run_model() is timed
"""
import json
import sys

from answer import answer_requests, decline, timed_years

try:
    import pandas
    import pvlib
except ImportError as error:
    decline(f"pvlib is not installed ({error})")


def model_chain(case):
    """The case's system; its losses are the defaults of PVWatts, and so of this chain."""
    dc_w = case["dc_capacity_w"]
    system = pvlib.pvsystem.PVSystem(
        surface_tilt=case["tilt_deg"], surface_azimuth=case["azimuth_deg"],
        module_parameters={"pdc0": dc_w, "gamma_pdc": -0.0047},
        inverter_parameters={"pdc0": dc_w / case["dc_ac_ratio"] / case["inverter_efficiency"],
                             "eta_inv_nom": case["inverter_efficiency"]},
        racking_model="close_mount", module_type="glass_glass")
    location = pvlib.location.Location(case["latitude_deg"], case["longitude_deg"], "UTC", case["elevation_m"])
    return pvlib.modelchain.ModelChain.with_pvwatts(system, location)


def weather_table(case):
    """Rows at the instant of their irradiance, UTC. The months of a typical year come from several years: pvlib takes
    the sun of each."""
    hours = case["hours"]
    offset = pandas.Timedelta(hours=case["instant_offset_h"] - case["utc_offset_h"])
    civil = [f"{hour['year']}-{hour['month']:02}-{hour['day']:02} {hour['hour']:02}:00" for hour in hours]
    columns = {"ghi": "ghi_w_m2", "dni": "dni_w_m2", "dhi": "dhi_w_m2", "temp_air": "ambient_c",
               "wind_speed": "wind_m_s"}
    stamps = pandas.to_datetime(civil, utc=True)
    return pandas.DataFrame({name: [hour[key] for hour in hours] for name, key in columns.items()},
                            index=stamps + offset)


def simulate(chain, weather, years):
    times = timed_years(lambda: chain.run_model(weather), years)
    return times | {"ac_annual_kwh": float(chain.results.ac.sum()) / 1000}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        case = json.load(file)
    chain, weather = model_chain(case), weather_table(case)
    answer_requests(f"pvlib {pvlib.__version__} ModelChain.with_pvwatts",
                    lambda request: simulate(chain, weather, int(request)))


main()
