"""What a person's page asks beside the card: which contacts answered, and a day nothing told of."""

from tests.integration.api_hub import ApiHub

CONTACTS = "/api/v1/people/wang/contacts"
WU = {"name": "Wu", "relation": "son", "phone": "+86 138 0000 0001"}


async def test_a_proof_is_of_the_number_that_was_asked(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        (contact,) = (await desk.put(CONTACTS, json={"items": [WU]})).json()["items"]
        assert (await desk.get(f"{CONTACTS}/proofs")).json() == {"items": []}
        asked = {"recipient": f"contact:{contact['contact_id']}", "channel": "sms"}
        answer = await desk.post("/api/v1/assurance/contacts/test", json=asked)
        assert answer.status_code == 202, answer.text
        (proof,) = (await desk.get(f"{CONTACTS}/proofs")).json()["items"]
        assert (proof["contact_id"], proof["channel"]) == (contact["contact_id"], "sms")
        assert proof["answer_due_at"] is not None
        assert proof["verified_at"] is None
        answer = await desk.post("/api/v1/assurance/contacts/verified", json=asked)
        assert answer.status_code == 204, answer.text
        (proof,) = (await desk.get(f"{CONTACTS}/proofs")).json()["items"]
        assert (proof["verified_by"], proof["answer_due_at"]) == ("by_hand", None)
        corrected = contact | {"phone": "+86 138 0000 0002"}
        await desk.put(CONTACTS, json={"items": [corrected]})
        assert (await desk.get(f"{CONTACTS}/proofs")).json() == {"items": []}
    looks = hub.rows("SELECT detail ->> 'noun' FROM audit_log WHERE action = 'look'")
    assert ("contacts",) in looks


async def test_a_home_that_never_gave_a_sign_has_no_silences(hub: ApiHub) -> None:
    (home,) = hub.rows("SELECT premises_id FROM person WHERE person_id = 'wang'")
    async with hub.desk("admin") as desk:
        answer = await desk.get(f"/api/v1/premises/{home[0]}/inactivity")
    assert answer.status_code == 200, answer.text
    assert answer.json()["silences"] == []
    assert answer.json()["last_sign_at"] is None
