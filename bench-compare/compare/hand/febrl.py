"""People: names, addresses, dates of birth and numbers, with slips of the pen, swapped and missing fields."""

import splink.comparison_library as cl
from splink import block_on

from ..sets import Records
from ..splink_run import Model


def model(records: Records) -> Model:
    """After the example that Splink's documentation gives for this data, with the addresses added."""
    return Model(
        table={name: [value or None for value in values] for name, values in records.columns.items()},
        comparisons=[
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]).configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ],
        blocking=[
            block_on("soc_sec_id"),
            block_on("given_name", "surname"),
            block_on("date_of_birth"),
            block_on("postcode", "surname"),
            block_on("postcode", "given_name"),
            block_on("address_1", "street_number"),
        ],
        training=[block_on("date_of_birth"), block_on("postcode")],
        certain=[
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            block_on("surname", "date_of_birth", "postcode"),
        ],
        certain_recall=0.9,
        random_pairs=1e7,
    )
