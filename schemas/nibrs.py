"""Code lists of the FBI's National Incident-Based Reporting System, as the contract uses them.

Source: FBI NIBRS user manual and technical specification; groups as in the SEARCH code lists.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

RELATIONSHIPS: dict[str, str] = {
    "SE": "spouse",
    "CS": "common-law spouse",
    "PA": "parent",
    "SB": "sibling",
    "CH": "child",
    "GP": "grandparent",
    "GC": "grandchild",
    "IL": "in-law",
    "SP": "stepparent",
    "SC": "stepchild",
    "SS": "stepsibling",
    "OF": "other family member",
    "AQ": "acquaintance",
    "FR": "friend",
    "NE": "neighbour",
    "BE": "babysittee",
    "BG": "boyfriend or girlfriend",
    "CF": "child of boyfriend or girlfriend",
    "HR": "homosexual relationship (older code lists)",
    "XS": "ex-spouse",
    "XR": "ex-boyfriend or ex-girlfriend",
    "EE": "employee",
    "ER": "employer",
    "OK": "otherwise known",
    "CO": "cohabitant, non-intimate",
    "FP": "foster parent",
    "FC": "foster child",
    "RU": "relationship unknown",
    "ST": "stranger",
    "VO": "victim was offender",
}

OFFENSES: dict[str, str] = {
    "09A": "murder and non-negligent manslaughter",
    "09B": "negligent manslaughter",
    "09C": "justifiable homicide",
    "100": "kidnapping and abduction",
    "103": "espionage",
    "11A": "rape",
    "11B": "sodomy",
    "11C": "sexual assault with an object",
    "11D": "fondling",
    "120": "robbery",
    "13A": "aggravated assault",
    "13B": "simple assault",
    "13C": "intimidation",
    "200": "arson",
    "210": "extortion and blackmail",
    "220": "burglary",
    "23A": "pocket-picking",
    "23B": "purse-snatching",
    "23C": "shoplifting",
    "23D": "theft from building",
    "23E": "theft from coin-operated machine",
    "23F": "theft from motor vehicle",
    "23G": "theft of motor vehicle parts",
    "23H": "all other larceny",
    "240": "motor vehicle theft",
    "250": "counterfeiting and forgery",
    "26A": "false pretences and swindle",
    "26B": "credit card and ATM fraud",
    "26C": "impersonation",
    "26D": "welfare fraud",
    "26E": "wire fraud",
    "26F": "identity theft",
    "26G": "hacking and computer invasion",
    "26H": "money laundering",
    "270": "embezzlement",
    "280": "stolen property",
    "290": "destruction, damage, vandalism",
    "30A": "illegal entry into the United States",
    "30B": "false citizenship",
    "30C": "smuggling aliens",
    "30D": "re-entry after deportation",
    "35A": "drug and narcotic violations",
    "35B": "drug equipment violations",
    "360": "failure to register as a sex offender",
    "36A": "incest",
    "36B": "statutory rape",
    "370": "pornography and obscene material",
    "39A": "betting and wagering",
    "39B": "operating, promoting or assisting gambling",
    "39C": "gambling equipment violations",
    "39D": "sports tampering",
    "40A": "prostitution",
    "40B": "assisting or promoting prostitution",
    "40C": "purchasing prostitution",
    "49A": "harbouring a fugitive",
    "49B": "flight to avoid prosecution",
    "49C": "flight to avoid deportation",
    "510": "bribery",
    "520": "weapon law violations",
    "521": "violation of national firearm act",
    "522": "weapons of mass destruction",
    "526": "explosives",
    "58A": "import violations",
    "58B": "export violations",
    "61A": "federal liquor offences",
    "61B": "federal tobacco offences",
    "620": "wildlife trafficking",
    "64A": "human trafficking, commercial sex acts",
    "64B": "human trafficking, involuntary servitude",
    "720": "animal cruelty",
    "90A": "bad cheques",
    "90B": "curfew, loitering, vagrancy",
    "90C": "disorderly conduct",
    "90D": "driving under the influence",
    "90E": "drunkenness",
    "90F": "family offences, non-violent",
    "90G": "liquor law violations",
    "90H": "peeping tom",
    "90I": "runaway",
    "90J": "trespass of real property",
    "90K": "failure to appear",
    "90L": "federal resource violations",
    "90M": "perjury",
    "90Z": "all other offences",
}

PERSON_CRIMES: frozenset[str] = frozenset(
    ["09A", "09B", "09C", "100", "11A", "11B", "11C", "11D", "13A", "13B", "13C", "36A", "36B", "64A", "64B"]
)
"""Crimes against persons, by the FBI's grouping; robbery is a crime against property there."""

FORCES: dict[str, str] = {
    "11": "firearm, type not stated",
    "12": "handgun",
    "13": "rifle",
    "14": "shotgun",
    "15": "other firearm",
    "20": "knife or cutting instrument",
    "30": "blunt object",
    "35": "motor vehicle",
    "40": "personal weapons (hands, feet, teeth)",
    "50": "poison",
    "60": "explosives",
    "65": "fire or incendiary device",
    "70": "drugs, narcotics, sleeping pills",
    "85": "asphyxiation",
    "90": "other",
    "95": "unknown",
    "99": "none",
} | {
    f"{code}A": f"automatic {kind}"
    for code, kind in (
        ("11", "firearm"),
        ("12", "handgun"),
        ("13", "rifle"),
        ("14", "shotgun"),
        ("15", "other firearm"),
    )
}

ARREST_TYPES: dict[str, str] = {"O": "on-view arrest", "S": "summoned or cited", "T": "taken into custody"}


def _one_of(codes: dict[str, str], what: str) -> AfterValidator:
    def check(code: str) -> str:
        if code not in codes:
            raise PydanticCustomError("enum", "not a code of the list {what}", {"what": what})
        return code

    return AfterValidator(check)


def _listed(codes: dict[str, str], title: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(codes), "title": title})


RelationshipCode = Annotated[
    str, _one_of(RELATIONSHIPS, "victim to offender relationships"), _listed(RELATIONSHIPS, "RelationshipCode")
]
OffenseCode = Annotated[str, _one_of(OFFENSES, "offences"), _listed(OFFENSES, "OffenseCode")]
ForceCode = Annotated[str, _one_of(FORCES, "weapon or force involved"), _listed(FORCES, "ForceCode")]
ArrestTypeCode = Annotated[str, _one_of(ARREST_TYPES, "types of arrest"), _listed(ARREST_TYPES, "ArrestTypeCode")]
